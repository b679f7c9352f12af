"""Recordings that are cleaned by a restoration before anything is measured of them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ddsp_edge.model.file import read_model_file
from ddsp_edge.restoration.files import restore_file
from ddsp_edge.restoration.restorer import bands_of, open_restorer
from ddsp_tf.data.prepare.prepare import Recordings, find_sources
from ddsp_tf.data.prepare.recordings import seconds_in
from ddsp_tf.errors import DdspError

MUCH_DB = -10.0
"""Where more than a tenth of the power of a recording is taken out, more than noise may be gone."""
_TOLD = 5  # recordings that are named with what is wrong with them


@dataclass(frozen=True)
class Restored:
    """Recordings that were restored.

    Args:
        recordings: What to prepare in place of the recordings that were named.
        folder: Where the restored ones lie.
        notices: Sentences on what was done, and what to listen for.
    """

    recordings: Recordings
    folder: Path
    notices: list[str]


def restore_recordings(
    recordings: Recordings,
    out: Path,
    model: Path,
    progress: Callable[[float, float], None] = lambda done, total: None,
) -> Restored:
    """Restore recordings into a folder beside a dataset: `OUT-restored`.

    What was restored by the same model before, and has not changed since, is not restored again. A recording
    that cannot be restored stays as it is, and that is told.

    Args:
        recordings: As for `ddsp_tf.data.prepare.prepare.prepare_dataset`.
        out: Folder of the dataset.
        model: A restoration, `.tflite`.
        progress: Called with the seconds of sound that are done, and those that there are in all.

    Raises:
        DdspError: If there are no recordings, or the model is none, or of another task.
    """
    file = read_model_file(model)
    bands_of(file.card, str(model))
    sources = find_sources(recordings, out).recordings
    digest = hashlib.sha256(model.read_bytes()).hexdigest()[:12]
    folder = out.with_name(f"{out.name}-restored") / f"{file.card.name}-{digest}"
    total, done = seconds_in(sources), 0.0
    found: dict[str, list[str | Path]] = {}
    taken: list[tuple[float, str]] = []
    failed: list[str] = []
    for source in sources:
        name = source.name.removeprefix(f"{source.group}/") if source.group else source.name
        target = folder / source.group / f"{name}.flac"
        into = found.setdefault(source.group, [])
        if target.is_file() and target.stat().st_mtime >= source.path.stat().st_mtime:
            into.append(target)
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            report = restore_file(
                lambda rate, channels: open_restorer(file, rate, channels), source.path, target
            )
        except (DdspError, OSError) as error:
            into.append(source.path)
            failed.append(f"{source.name} was not restored and is taken as it is: {error}")
            continue
        into.append(target)
        done += report.seconds
        progress(min(done, total), max(done, total))
        if report.removed_db is not None:
            taken.append((report.removed_db, source.name))
    notices = [f"recordings were restored by {file.card.name} into {folder}: listen to them before you train"]
    notices += failed[:_TOLD]
    if len(failed) > _TOLD:
        notices.append(f"and {len(failed) - _TOLD} more recordings were not restored")
    if taken and max(taken)[0] > MUCH_DB:
        most_db, name = max(taken)
        notices.append(
            f"what the restoration took out of {name} has {most_db:.1f} dB of its level: if it "
            "is more than noise, prepare without --restore"
        )
    return Restored(found if isinstance(recordings, Mapping) else found.get("", []), folder, notices)
