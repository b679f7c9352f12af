// What the page asks of the studio that served it.

const BROKEN = ["failed", "cancelled"];

/** Whether a job ended and nothing came of it. */
export const isBroken = (job) => BROKEN.includes(job.state);

/** Whether a job ended. */
export const isOver = (job) => job.state === "done" || isBroken(job);

/** What an answer tells; one that is none of the studio's is told as it is. */
function read(status, text) {
    if (status === 204) return null;
    let told;
    try {
        told = JSON.parse(text);
    } catch {
        told = { error: text };
    }
    if (status < 200 || status > 299) throw new Error(told.error || `the studio answered ${status}`);
    return told;
}

const answer = async (response) => read(response.status, await response.text());

/** The models, each with its knobs, and the configurations that can be trained. */
export const models = async () => answer(await fetch("/api/models"));

/** All jobs and how far they are. */
export const state = async () => (await answer(await fetch("/api/state"))).jobs;

/** Have something done: "jobs", or "trainings". */
export const start = async (asked, kind = "jobs") =>
    answer(await fetch(`/api/${kind}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(asked),
    }));

/** End a job. */
export const cancel = async (id) => answer(await fetch(`/api/jobs/${id}/cancel`, { method: "POST" }));

/** Have a training go on. */
export const goOn = async (id) => answer(await fetch(`/api/jobs/${id}/go-on`, { method: "POST" }));

/** Remove a job and its files. */
export const remove = async (id) => answer(await fetch(`/api/jobs/${id}`, { method: "DELETE" }));

/** Remove all that is over, but for trainings that can go on. */
export const removeAll = async () => answer(await fetch("/api/jobs", { method: "DELETE" }));

/** Where a file is, by the word that the studio gave for it. */
export const file = (word, save = false) => `/api/files/${encodeURIComponent(word)}${save ? "?save" : ""}`;

/** Bytes of a file. */
export async function bytes(word) {
    const response = await fetch(file(word));
    if (!response.ok) throw new Error(`the studio answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
}

/**
 * Send a file.
 * @param {string} kind "inputs" or "models".
 * @param {Blob} blob The file.
 * @param {string} name What it is called.
 * @param {(share: number) => void} progress Is told the share that was sent.
 * @returns {{ sent: Promise<object>, stop: () => void }}
 */
export function send(kind, blob, name, progress) {
    const request = new XMLHttpRequest();
    const sent = new Promise((resolve, reject) => {
        request.open("POST", `/api/${kind}?name=${encodeURIComponent(name)}`);
        request.setRequestHeader("content-type", "application/octet-stream");
        request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
        request.onload = () => {
            try {
                resolve(read(request.status, request.responseText));
            } catch (error) {
                reject(error);
            }
        };
        request.onerror = () => reject(new Error("it could not be sent: too large, or the studio has ended"));
        request.onabort = () => reject(new Error("cancelled"));
        request.send(blob);
    });
    return { sent, stop: () => request.abort() };
}
