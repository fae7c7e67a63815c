"""A plan that is kept is applied as it was made, or its unit is left as it is."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live.stub_terraform import stub_terraform
from tests.live.test_commands import QUEUE, UNITS, outputs, pack_nothing, run
from tests.live.trees import Tree


def test_a_unit_whose_inputs_have_changed_is_left_alone_and_so_is_what_waits_for_it(
    tree: Tree, tmp_path: Path
) -> None:
    """As after an apply of foundation that rotates the key: the Regions' plans know the old one."""
    pack_nothing(tree)
    stub = stub_terraform(tmp_path / "stub", outputs())
    kept = ("--out-dir", str(tmp_path / "plans"))
    planned = run(tree, stub, "local", *QUEUE, *kept, "--", "plan", "-lock=false")
    assert planned.returncode == 0, planned.stderr
    # The stub writes none.
    files = {unit: tmp_path / "plans" / unit / "tfplan.tfplan" for unit in UNITS}
    for file in files.values():
        file.write_text("plan")
    changed = outputs()
    changed["global/foundation"]["origin_key"] = {"current": "c", "previous": "a"}
    (stub.folder / "outputs.json").write_text(json.dumps(changed))

    applied = run(tree, stub, "local", *QUEUE, *kept, "--", "apply")

    assert applied.returncode != 0
    assert "is stale: what this unit reads of others has changed" in applied.stderr
    assert set(stub.asked("apply")) == {"global/foundation", "global/identity", "global/data"}
    for call in stub.calls("apply"):
        assert call["arguments"][-1] == str(files[call["unit"]])
