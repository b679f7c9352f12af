"""How a flatbuffer is written: what is equal is there once, data lies where the schema wants it."""

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from ddsp_export.operators import check_ports
from ddsp_export.quantize import quantize_weights
from ddsp_tf.errors import DdspError


def content(value):
    """A model that was unpacked, as plain data."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [content(item) for item in value]
    return {k: content(v) for k, v in vars(value).items()} if hasattr(value, "__dict__") else value


def packed_plainly(model):
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_sharing_changes_nothing_that_is_read(wide_float32):
    for model in (wide_float32[1], quantize_weights(wide_float32[1], "int8")):
        plain = packed_plainly(schema.ModelT.InitFromPackedBuf(model, 0))
        assert content(schema.ModelT.InitFromPackedBuf(model, 0)) == content(
            schema.ModelT.InitFromPackedBuf(plain, 0)
        )
        assert len(model) < len(plain)


def test_scales_of_a_matrix_are_there_once_however_many_graphs_use_it(wide_float32):
    """`step`, `block` and `play` multiply by the same matrices."""
    by_output = quantize_weights(wide_float32[1], "int8")
    model = schema.ModelT.InitFromPackedBuf(by_output, 0)
    scales = [
        tensor.quantization.scale.tobytes()
        for graph in model.subgraphs
        for tensor in graph.tensors
        if tensor.quantization is not None and tensor.quantization.scale is not None
    ]
    long = {scale for scale in scales if len(scale) > 4}
    assert len(scales) == 3 * len(long)
    assert all(by_output.count(scale) == 1 for scale in long)


def test_data_lies_where_the_schema_wants_it(wide_float32):
    for packed in (*wide_float32, quantize_weights(wide_float32[1], "float16")):
        model = schema.Model.GetRootAs(packed, 0)
        buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
        table = [b._tab for b in buffers if b.DataLength()]
        assert len(table) > 10
        assert {t.Vector(t.Offset(4)) % 16 for t in table} == {0}


def test_an_input_that_is_handed_on_as_an_output_is_refused(wide_float32):
    """Compiled models have one buffer for a tensor: what came out would be what went in."""
    check_ports(wide_float32[1])
    model = schema.ModelT.InitFromPackedBuf(wide_float32[1], 0)
    [play] = [s for s in model.signatureDefs if s.signatureKey == b"play"]
    [f0] = [port.tensorIndex for port in play.inputs if port.name == b"f0_hz"]
    [after] = [port for port in play.outputs if port.name == b"harmonic_f0_hz"]
    after.tensorIndex = f0
    with pytest.raises(DdspError, match="play has one tensor for f0_hz and harmonic_f0_hz"):
        check_ports(packed_plainly(model))
