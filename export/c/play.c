/* The smallest host in C: the signature `play` of a model file, through the C API of LiteRT.
 *
 *     cc -O2 -o play play.c -L FOLDER -lLiteRt -Wl,-rpath,FOLDER     FOLDER: where libLiteRt.so is
 *     ./play INSTRUMENT.tflite < FEATURES > SOUND
 *
 * FEATURES are pairs of float32, f0 in Hz and loudness in dB, one for each frame; SOUND is float32, mono, at the
 * instrument's sample rate, which stands on stderr. The library comes with the Python package ai-edge-litert; the
 * few functions of it that a host needs are declared here, so that no header has to be installed. Sizes come from
 * the model, names from docs/model-file.md; numbers are of the machine's byte order, little-endian wherever LiteRT
 * runs. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* LiteRT, version 2.3: statuses are 0 where all went well, everything else goes by opaque pointers. */
typedef int Status;
typedef size_t Index;
typedef struct Environment *Environment;
typedef struct Model *Model;
typedef struct Signature *Signature;
typedef struct Tensor *Tensor;
typedef struct Options *Options;
typedef struct Compiled *Compiled;
typedef struct Requirements *Requirements;
typedef struct Buffer *Buffer;
typedef struct { uint64_t opaque[32]; } TensorType; /* larger than it is; only handed on */
enum { ON_CPU = 1, TO_READ = 0, TO_WRITE = 1 };

Status LiteRtCreateEnvironment(int options, const void *option, Environment *made);
Status LiteRtCreateModelFromBuffer(Environment environment, const void *bytes, size_t size, Model *made);
Status LiteRtGetNumModelSignatures(Model model, Index *count);
Status LiteRtGetModelSignature(Model model, Index index, Signature *signature);
Status LiteRtGetSignatureKey(Signature signature, const char **key);
Status LiteRtGetNumSignatureInputs(Signature signature, Index *count);
Status LiteRtGetNumSignatureOutputs(Signature signature, Index *count);
Status LiteRtGetSignatureInputName(Signature signature, Index index, const char **name);
Status LiteRtGetSignatureOutputName(Signature signature, Index index, const char **name);
Status LiteRtGetSignatureInputTensorByIndex(Signature signature, Index index, Tensor *tensor);
Status LiteRtGetSignatureOutputTensorByIndex(Signature signature, Index index, Tensor *tensor);
Status LiteRtGetRankedTensorType(Tensor tensor, TensorType *type);
Status LiteRtCreateOptions(Options *made);
Status LiteRtSetOptionsHardwareAccelerators(Options options, int accelerators);
Status LiteRtCreateCompiledModel(Environment environment, Model model, Options options, Compiled *made);
Status LiteRtGetCompiledModelInputBufferRequirements(Compiled model, Index signature, Index input, Requirements *got);
Status LiteRtGetCompiledModelOutputBufferRequirements(Compiled model, Index signature, Index output, Requirements *got);
Status LiteRtGetTensorBufferRequirementsBufferSize(Requirements requirements, size_t *bytes);
Status LiteRtCreateManagedTensorBufferFromRequirements(Environment environment, const TensorType *type,
                                                       Requirements requirements, Buffer *made);
Status LiteRtGetTensorBufferPackedSize(Buffer buffer, size_t *bytes);
Status LiteRtLockTensorBuffer(Buffer buffer, void **memory, int mode);
Status LiteRtUnlockTensorBuffer(Buffer buffer);
Status LiteRtRunCompiledModel(Compiled model, Index signature, size_t inputs, Buffer *input, size_t outputs,
                              Buffer *output);

enum { PORTS = 64 };

typedef struct {
    const char *name;
    Buffer buffer;
    size_t bytes;
} Port;

static void check(Status status, const char *what)
{
    if (status == 0) return;
    fprintf(stderr, "error: LiteRT cannot %s (status %d)\n", what, status);
    exit(1);
}

static void refuse(const char *path, const char *why)
{
    fprintf(stderr, "error: %s %s\n", path, why);
    exit(1);
}

/* The whole file. LiteRT reads a model from memory, and minds no archive behind it. */
static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) refuse(path, "cannot be read");
    if (fseek(file, 0, SEEK_END) || (*size = (size_t)ftell(file)) < 8) refuse(path, "is no model file");
    rewind(file);
    unsigned char *bytes = aligned_alloc(64, (*size + 63) / 64 * 64);
    if (!bytes || fread(bytes, 1, *size, file) != *size) refuse(path, "cannot be read");
    fclose(file);
    if (memcmp(bytes + 4, "TFL3", 4)) refuse(path, "is no TensorFlow Lite file");
    return bytes;
}

/* A whole number of the card. metadata.json is stored in the archive as it is, so its text can be looked for. */
static long card_number(const unsigned char *bytes, size_t size, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = size - length; i > 0; i--)
        if (bytes[i] == (unsigned char)key[0] && !memcmp(bytes + i, key, length))
            return strtol((const char *)bytes + i + length, NULL, 10); /* the archive goes on behind it */
    return 0;
}

static void write_port(const Port *port, const float *values)
{
    void *memory;
    check(LiteRtLockTensorBuffer(port->buffer, &memory, TO_WRITE), "write to a tensor");
    if (values)
        memcpy(memory, values, port->bytes);
    else
        memset(memory, 0, port->bytes);
    check(LiteRtUnlockTensorBuffer(port->buffer), "write to a tensor");
}

static void read_port(const Port *port, float *values)
{
    void *memory;
    check(LiteRtLockTensorBuffer(port->buffer, &memory, TO_READ), "read a tensor");
    memcpy(values, memory, port->bytes);
    check(LiteRtUnlockTensorBuffer(port->buffer), "read a tensor");
}

/* White noise, uniform in [-1, 1): the upper bits of a linear congruential generator (Knuth's MMIX). */
static float white(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(*seed >> 32) / 2147483648.0f;
}

static int ends_with(const char *name, const char *end)
{
    size_t a = strlen(name), b = strlen(end);
    return a >= b && !strcmp(name + a - b, end);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: play INSTRUMENT.tflite < FEATURES > SOUND\n");
        return 2;
    }
    const char *path = arguments[1];
    size_t size;
    unsigned char *bytes = read_file(path, &size);
    long rate = card_number(bytes, size, "\"sample_rate\": ");
    if (rate <= 0) refuse(path, "has no card that tells its sample rate (is it packed? export the file again)");

    Environment environment;
    Model model;
    Options options;
    Compiled compiled;
    check(LiteRtCreateEnvironment(0, NULL, &environment), "be set up");
    check(LiteRtCreateModelFromBuffer(environment, bytes, size, &model), "read the model");
    check(LiteRtCreateOptions(&options), "make options");
    check(LiteRtSetOptionsHardwareAccelerators(options, ON_CPU), "choose the CPU");
    check(LiteRtCreateCompiledModel(environment, model, options, &compiled), "compile the model");

    Index play = 0, signatures;
    Signature signature = NULL;
    check(LiteRtGetNumModelSignatures(model, &signatures), "count signatures");
    for (;; play++) {
        const char *key;
        if (play == signatures) refuse(path, "has no signature `play`: export it without --no-play");
        check(LiteRtGetModelSignature(model, play, &signature), "find a signature");
        check(LiteRtGetSignatureKey(signature, &key), "name a signature");
        if (!strcmp(key, "play")) break;
    }

    Port in[PORTS], out[PORTS];
    Buffer given[PORTS], got[PORTS];
    Index inputs, outputs;
    check(LiteRtGetNumSignatureInputs(signature, &inputs), "count inputs");
    check(LiteRtGetNumSignatureOutputs(signature, &outputs), "count outputs");
    if (inputs > PORTS || outputs > PORTS) refuse(path, "has more tensors than this host has room for");
    for (Index i = 0; i < inputs + outputs; i++) {
        int output = i >= inputs;
        Index n = output ? i - inputs : i;
        Port *port = output ? &out[n] : &in[n];
        Tensor tensor;
        TensorType type;
        Requirements needed;
        if (output) {
            check(LiteRtGetSignatureOutputName(signature, n, &port->name), "name an output");
            check(LiteRtGetSignatureOutputTensorByIndex(signature, n, &tensor), "find an output");
            check(LiteRtGetCompiledModelOutputBufferRequirements(compiled, play, n, &needed), "size an output");
        } else {
            check(LiteRtGetSignatureInputName(signature, n, &port->name), "name an input");
            check(LiteRtGetSignatureInputTensorByIndex(signature, n, &tensor), "find an input");
            check(LiteRtGetCompiledModelInputBufferRequirements(compiled, play, n, &needed), "size an input");
        }
        check(LiteRtGetRankedTensorType(tensor, &type), "tell a tensor's type");
        check(LiteRtCreateManagedTensorBufferFromRequirements(environment, &type, needed, &port->buffer),
              "make a tensor");
        check(LiteRtGetTensorBufferPackedSize(port->buffer, &port->bytes), "tell a tensor's size");
        *(output ? &got[n] : &given[n]) = port->buffer;
        if (!output) write_port(port, NULL); /* states are zeros before the first frame */
    }

    /* Which output is the sound, and which is the next value of which input. */
    const Port *audio = NULL;
    size_t largest = 0;
    for (Index n = 0; n < outputs; n++) {
        if (!strcmp(out[n].name, "audio")) audio = &out[n];
        if (out[n].bytes > largest) largest = out[n].bytes;
    }
    if (!audio) refuse(path, "has no output called audio");
    for (Index n = 0; n < inputs; n++) { /* all that is no state must be known */
        int known = !strcmp(in[n].name, "f0_hz") || !strcmp(in[n].name, "loudness_db") || ends_with(in[n].name, "_noise");
        for (Index m = 0; m < outputs; m++) known |= !strcmp(in[n].name, out[m].name);
        if (!known) refuse(path, "takes further features (brightness, voicing), which this host does not give");
    }
    size_t hop = audio->bytes / sizeof(float);
    float *values = malloc(largest > audio->bytes ? largest : audio->bytes);
    if (!values) refuse(path, "needs more memory than there is");
    fprintf(stderr, "%ld Hz, %zu samples a frame\n", rate, hop);

    float features[2];
    uint64_t seed = 1;
    while (fread(features, sizeof(float), 2, stdin) == 2) {
        for (Index n = 0; n < inputs; n++) {
            if (!strcmp(in[n].name, "f0_hz")) write_port(&in[n], &features[0]);
            if (!strcmp(in[n].name, "loudness_db")) write_port(&in[n], &features[1]);
            if (ends_with(in[n].name, "_noise") && in[n].bytes == audio->bytes) {
                for (size_t i = 0; i < hop; i++) values[i] = white(&seed);
                write_port(&in[n], values);
            }
        }
        check(LiteRtRunCompiledModel(compiled, play, inputs, given, outputs, got), "play a frame");
        for (Index n = 0; n < outputs; n++) {
            read_port(&out[n], values);
            if (&out[n] == audio && fwrite(values, sizeof(float), hop, stdout) != hop)
                refuse("the sound", "cannot be written");
            for (Index m = 0; m < inputs; m++)
                if (!strcmp(in[m].name, out[n].name)) write_port(&in[m], values);
        }
    }
    return 0;
}
