"""The studio as an application: what a page may ask for, and no other thing."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ddsp_edge.cli.file_uses import uses_of
from ddsp_edge.errors import DdspError
from ddsp_edge.studio.answers import (
    PAGE_TYPES,
    NotHere,
    TooLarge,
    asked_json,
    gone,
    page_answer,
    refused,
    text_of,
    unexpected,
)
from ddsp_edge.studio.jobs import BROKEN, Job, Jobs
from ddsp_edge.studio.keep import Keep, check_room, shown_name
from ddsp_edge.studio.knobs import arguments_of, settings_text
from ddsp_edge.studio.shelf import Shelf
from ddsp_edge.studio.training import CONFIGS, MAX_STEPS, MODEL

PAGE = Path(__file__).with_name("page")
_MEDIA = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mid": "audio/midi",
    ".csv": "text/csv; charset=utf-8",
    ".npz": "application/octet-stream",
    ".toml": "application/toml",
    ".spectrum": "application/octet-stream",
    ".tflite": "application/octet-stream",
    ".html": "application/octet-stream",  # to be saved, never shown as a page of the studio
}
_MOST_MODEL = 128 << 20
_SHOWN = ("audio", "picture")
_SETTINGS = "settings.toml"
_NO_SUCH = "there is no such thing here: it may have been removed"


class Studio:
    """What is answered to a page.

    Args:
        keep: Where files are kept.
        shelf: The models.
        most_bytes: Integer, of one file that is given.
        runs: Where trainings are kept; None where nothing is trained.
    """

    def __init__(self, keep: Keep, shelf: Shelf, most_bytes: int, runs: Path | None = None) -> None:
        self._keep, self._shelf, self._most_bytes, self._runs = keep, shelf, most_bytes, runs
        self._inputs: dict[str, Job] = {}
        self._jobs: Jobs

    def app(self) -> Starlette:
        """The application, which nothing guards yet."""
        routes = [
            Route(f"/{'' if path.name == 'index.html' else path.name}", page_answer(path), methods=["GET"])
            for path in sorted(PAGE.iterdir())
            if path.suffix in PAGE_TYPES
        ]
        routes += [
            Route("/api/models", self._models, methods=["GET"]),
            Route("/api/models", self._add_model, methods=["POST"]),
            Route("/api/state", self._state, methods=["GET"]),
            Route("/api/inputs", self._add_input, methods=["POST"]),
            Route("/api/jobs", self._add_job, methods=["POST"]),
            Route("/api/jobs", self._remove_all, methods=["DELETE"]),
            Route("/api/trainings", self._add_training, methods=["POST"]),
            Route("/api/jobs/{number}/cancel", self._cancel, methods=["POST"]),
            Route("/api/jobs/{number}/go-on", self._go_on, methods=["POST"]),
            Route("/api/jobs/{number}", self._remove, methods=["DELETE"]),
            Route("/api/files/{word}", self._file, methods=["GET"]),
        ]
        handlers: Any = {DdspError: refused, ClientDisconnect: gone, Exception: unexpected}
        return Starlette(routes=routes, lifespan=self._lifespan, exception_handlers=handlers)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self._jobs = Jobs(self._offer, self._offer_live)
        try:
            yield
        finally:
            await self._jobs.close()

    async def _models(self, request: Request) -> Response:
        known = CONFIGS.items() if self._runs is not None else ()
        trains = [{"config": name, "makes": makes.what, "consent": makes.consent} for name, makes in known]
        told = {"models": self._shelf.described(), "left_out": self._shelf.left_out, "trains": trains}
        return JSONResponse(told)

    async def _add_model(self, request: Request) -> Response:
        name = shown_name(request.query_params.get("name", "model"))
        with self._keep.filled_folder() as folder:
            path = folder / "model.tflite"
            await self._take(request, path, _MOST_MODEL)
            try:
                number = await asyncio.to_thread(self._shelf.add, path, Path(name).stem)
            except DdspError as error:
                raise DdspError(str(error).replace(str(path), name)) from error
        return JSONResponse({"id": number}, 201)

    async def _add_input(self, request: Request) -> Response:
        name = shown_name(request.query_params.get("name", "sound"))
        await self._forget_broken()
        with self._keep.filled_folder() as folder:
            # The ending says nothing of what it is, but of some kinds of files that nothing else tells.
            ending = Path(name).suffix.lower()
            plain = ending[1:].isascii() and ending[1:].isalnum() and len(ending) < 6
            path = folder / f"input{ending if plain else ''}"
            await self._take(request, path, self._most_bytes)
            asked = {"kind": "look", "source": str(path), "folder": str(folder)}
            job = self._jobs.start(asked, folder, name, {"what": "input", "name": name})
        self._inputs[job.number] = job
        return JSONResponse(job.shown(), 201)

    async def _take(self, request: Request, path: Path, most_bytes: int) -> None:
        """Write what is sent into a file of ours, as much as may be."""
        told = request.headers.get("content-length", "0")
        most = min(most_bytes, await asyncio.to_thread(self._keep.room))
        if told.isdecimal() and int(told) > most_bytes:
            raise TooLarge(f"it has {int(told) / 1e6:.0f} MB; at most {most_bytes / 1e6:.0f} MB are taken")
        await asyncio.to_thread(check_room, self._keep, int(told) if told.isdecimal() else 0)
        got = 0
        with path.open("wb") as file:
            async for data in request.stream():
                got += len(data)
                if got > most:
                    raise TooLarge(f"it has more than the {most / 1e6:.0f} MB that can be taken")
                await asyncio.to_thread(file.write, data)
        if not got:
            raise DdspError("the file is empty")

    async def _state(self, request: Request) -> Response:
        return JSONResponse({"jobs": [job.shown() for job in self._jobs.jobs.values()]})

    async def _add_job(self, request: Request) -> Response:
        asked = await asked_json(request)
        model = self._shelf.models.get(text_of(asked, "model"))
        given = self._inputs.get(text_of(asked, "input"))
        values = asked.get("values", {})
        if model is None or given is None or given.state != "done":
            raise DdspError("name a model and a sound that the studio has looked at")
        if not isinstance(values, dict):
            raise DdspError(f"values must be an object. Received: {str(values)[:60]!r}")
        uses = uses_of(model.card.task)
        takes = given.result["takes"]
        number = next((i for i, use in enumerate(uses) if use.takes == takes), None)
        if number is None:
            raise DdspError(f"{model.label} takes no {takes}: choose another model, or another file")
        arguments_of(uses[number], values)  # refuses what cannot be meant, before anything is begun
        source = Path(str(given.asked["source"]))
        await asyncio.to_thread(check_room, self._keep, 4 * source.stat().st_size)
        await self._forget_broken()
        if self._inputs.get(given.number) is not given:  # removed meanwhile
            raise NotHere(_NO_SUCH)
        name, label = self._unlike_others(f"{Path(given.source_name).stem}-{model.label}", model.label)
        about = {
            "what": "result",
            "name": name,
            "input": given.number,
            "model": text_of(asked, "model"),
            "label": label,
            "takes": takes,
            "values": values,
            "title": uses[number].title,
        }
        with self._keep.filled_folder() as folder:
            (folder / _SETTINGS).write_text(settings_text(uses[number], values, model.label), "utf-8")
            process = {
                "kind": "use",
                "task": model.card.task,
                "use": number,
                "model": str(model.path),
                "source": str(source),
                "folder": str(folder),
                "values": values,
            }
            job = self._jobs.start(process, folder, given.source_name, about)
        return JSONResponse(job.shown(), 201)

    async def _add_training(self, request: Request) -> Response:
        asked = await asked_json(request)
        if self._runs is None:
            raise DdspError("nothing is trained here: start the studio with --train FOLDER")
        name, config, steps = text_of(asked, "name"), text_of(asked, "config"), asked.get("steps")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9 _-]{0,39}", name):
            raise DdspError(
                "a name has up to 40 letters of English, digits, spaces and dashes, and begins with a letter"
            )
        if config not in CONFIGS:
            raise DdspError(f"config must be one of {', '.join(CONFIGS)}")
        if type(steps) is not int or not 1 <= steps <= MAX_STEPS:
            raise DdspError(f"steps must be from 1 to {MAX_STEPS}. Received: {str(steps)[:60]}")
        if CONFIGS[config].consent and asked.get("consent") is not True:
            raise DdspError("whoever speaks must have agreed to being imitated: nothing is made without")
        inputs = asked.get("inputs")
        given = [self._inputs.get(str(number)) for number in inputs] if isinstance(inputs, list) else []
        sounds = [job for job in given if job is not None and job.result.get("takes") == "sound"]
        if not sounds or len(sounds) != len(given):
            raise DdspError("name recordings that the studio has looked at")
        await self._forget_broken()
        folder = _new_run(self._runs, name)
        process = {
            "kind": "train",
            "source": str(sounds[0].asked["source"]),
            "sources": [str(job.asked["source"]) for job in sounds],
            "folder": str(folder),
            "config": config,
            "steps": steps,
            "name": name,
            "consent": CONFIGS[config].consent,
        }
        about = {
            "what": "training",
            "name": name,
            "label": name,
            "values": {"config": config, "steps": steps},
            "makes": CONFIGS[config].what,
        }
        with self._keep.filled_folder() as heard:
            job = self._jobs.start({**process, "heard": str(heard)}, folder, "the recording", about)
        return JSONResponse(job.shown(), 201)

    async def _go_on(self, request: Request) -> Response:
        job = self._job(request)
        if job.about["what"] != "training":
            raise DdspError("only a training goes on where it was")
        self._jobs.go_on(job)
        return JSONResponse(job.shown())

    def _offer(self, job: Job) -> None:
        """Let the page ask for the files of a job that was done, by words in the place of their names."""
        result = job.result
        stem = str(job.about["name"])
        for sound in [*result.get("sounds", []), *([result["sound"]] if "sound" in result else [])]:
            for kind in _SHOWN:
                sound[kind] = self._offered(job.folder / Path(sound[kind]).name, stem)
        for file in result.get("files", []):
            path = job.folder / Path(file["file"]).name
            label = f"-{file['label']}" if file["label"] else ""
            file["name"], file["bytes"] = f"{stem}{label}{path.suffix}", path.stat().st_size
            file["file"] = self._offered(path, f"{stem}{label}")
        if job.about["what"] == "training":
            self._shelf.add(job.folder / MODEL, stem)
        if job.about["what"] == "result":
            path = job.folder / _SETTINGS
            word = self._offered(path, stem)
            settings = {"file": word, "label": "", "kind": "settings", "name": f"{stem}.toml"}
            result.setdefault("files", []).append({**settings, "bytes": path.stat().st_size})

    def _offer_live(self, job: Job) -> None:
        """Let the page ask for what is heard of a training so far."""
        sounds = job.live.get("sounds", [])
        folder = Path(str(job.asked.get("heard", "")))
        for sound in sounds:
            for kind in _SHOWN:
                sound[kind] = self._offered(folder / Path(sound[kind]).name, str(job.about["name"]))
        if sounds:
            self._keep.forget_removed(folder)

    def _offered(self, path: Path, stem: str) -> str:
        return self._keep.offer(path, f"{stem}{path.suffix}", _MEDIA[path.suffix])

    async def _cancel(self, request: Request) -> Response:
        job = self._job(request)
        await self._jobs.cancel(job)
        return JSONResponse(job.shown())

    async def _remove(self, request: Request) -> Response:
        job = self._job(request)
        if self._has_results(job):
            raise DdspError("results were made of it: remove them first")
        await self._forget(job)
        return Response(status_code=204)

    async def _remove_all(self, request: Request) -> Response:
        """Remove what is over; a training that can go on stays, and a sound of which something is made."""
        over = [job for job in self._jobs.jobs.values() if job.state == "done" or _is_broken(job)]
        for job in sorted(over, key=lambda job: job.about["what"] == "input"):
            if not self._has_results(job):
                await self._forget(job)
        return Response(status_code=204)

    def _has_results(self, job: Job) -> bool:
        return any(other.about.get("input") == job.number for other in self._jobs.jobs.values())

    async def _forget(self, job: Job) -> None:
        """End a job and remove what is kept of it."""
        await self._jobs.cancel(job)
        self._jobs.jobs.pop(job.number, None)
        self._inputs.pop(job.number, None)
        # What was trained stays where it was asked to be.
        ours = Path(str(job.asked["heard"])) if job.about["what"] == "training" else job.folder
        await asyncio.to_thread(self._keep.drop, ours)

    async def _forget_broken(self) -> None:
        """Where there are as many jobs as may be, remove those that nothing came of: they keep nobody out."""
        if self._jobs.full:
            for job in filter(_is_broken, list(self._jobs.jobs.values())):
                await self._forget(job)

    def _unlike_others(self, name: str, label: str) -> tuple[str, str]:
        """What a result and its files are called: numbered, where there is one of that name."""
        taken = {job.about["name"] for job in self._jobs.jobs.values() if job.about["what"] == "result"}
        if name not in taken:
            return name, label
        number = next(number for number in itertools.count(2) if f"{name}-{number}" not in taken)
        return f"{name}-{number}", f"{label} {number}"

    def _job(self, request: Request) -> Job:
        job = self._jobs.jobs.get(request.path_params["number"])
        if job is None:
            raise NotHere(_NO_SUCH)
        return job

    async def _file(self, request: Request) -> Response:
        kept = self._keep.offered(request.path_params["word"])
        if kept is None or not kept.path.is_file():
            raise NotHere(_NO_SUCH)
        how = "attachment" if "save" in request.query_params else "inline"
        return FileResponse(
            kept.path, media_type=kept.media_type, filename=kept.name, content_disposition_type=how
        )


def _is_broken(job: Job) -> bool:
    """Whether nothing came of a job, nor will: a training that was stopped may go on."""
    return job.state in BROKEN and job.about["what"] != "training"


def _new_run(runs: Path, name: str) -> Path:
    """A new folder for a training, called as it is."""
    for number in range(1, 1000):
        folder = runs / (name.replace(" ", "-") + ("" if number == 1 else f"-{number}"))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise DdspError(f"there are 999 trainings of the name {name} already")
