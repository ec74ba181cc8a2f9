"""What a department uploads again in a disturbed night, and where."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.chaos.world import NIGHT, World


def test_the_right_file_goes_where_it_lay_and_not_among_what_was_returned(tmp_path: Path) -> None:
    world = World(tmp_path)
    night = f"{NIGHT:%Y%m%d}"
    department = tmp_path / "simulator" / "data_administration"
    outbox, returned = department / "registers" / night, department / "feedback" / night
    for folder in (outbox, returned):
        folder.mkdir(parents=True)
        (folder / f"{folder.parent.name}.csv").write_text("whole")
    delivered = outbox / "registers.csv"
    assert world.dropped("data_administration") == [delivered]

    world.keep("data_administration")
    shutil.rmtree(outbox.parent)
    outbox.mkdir(parents=True)
    delivered.write_text("wh")
    world.upload("data_administration")
    assert delivered.read_text() == "whole"
    assert [file.name for file in returned.iterdir()] == ["feedback.csv"]
