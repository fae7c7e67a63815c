"""A plan that was approved is the plan that is applied: it is known by what it holds."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_s3 import S3Client

from live import kept_plan
from project.console import ToolchainError
from project.paths import TREE
from toolchain.kept_plans import Manifest, Shelf, client_for, name_of, pack, shelf_of, unpack

MANIFEST = Manifest("prod", "c0ffee", "5eed", ("global/data", "us-east-2/api"))
BUCKET = "landing-tfstate-222222222222-us-west-2"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    for unit in MANIFEST.units:
        (folder / unit).mkdir(parents=True)
        (folder / unit / "tfplan.tfplan").write_text(f"plan of {unit}")
    return folder


@pytest.fixture
def content(files: Path) -> bytes:
    return pack(MANIFEST, files, [f"{unit}/tfplan.tfplan" for unit in MANIFEST.units])


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.Session().client("s3", region_name="us-west-2")
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        yield client


def shelf(folder: Path) -> Shelf:
    return Shelf(folder, BUCKET, "us-west-2")


def test_the_same_plan_has_the_same_name_and_another_one_another(
    files: Path, content: bytes
) -> None:
    names = [f"{unit}/tfplan.tfplan" for unit in MANIFEST.units]
    assert pack(MANIFEST, files, reversed(names)) == content  # type: ignore[arg-type]
    (files / names[0]).write_text("another plan")
    assert name_of(pack(MANIFEST, files, names)) != name_of(content)


def test_what_was_packed_is_unpacked_for_its_owner_alone(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "taken"
    assert unpack(content, folder) == MANIFEST
    assert (folder / "us-east-2/api/tfplan.tfplan").read_text() == "plan of us-east-2/api"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.rglob("*.tfplan"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_plan_goes_from_one_machine_to_another_by_the_states_bucket(
    tmp_path: Path, content: bytes, s3: S3Client
) -> None:
    name = shelf(tmp_path / "here").keep(content, s3)

    there = shelf(tmp_path / "there")
    assert there.fetch(name, s3) == content

    there.forget(name, s3)
    with pytest.raises(ToolchainError, match="One that was applied is gone"):
        there.fetch(name, s3)


def test_a_plan_that_somebody_put_in_the_place_of_another_is_refused(
    tmp_path: Path, content: bytes, s3: S3Client
) -> None:
    """Whoever may keep plans may write to that key: a pull request's job, for one."""
    name = shelf(tmp_path / "here").keep(content, s3)
    s3.put_object(Bucket=BUCKET, Key=f"plans/{name}.tar", Body=content + b"\0" * 512)

    with pytest.raises(ToolchainError, match="isn't what was planned"):
        shelf(tmp_path / "there").fetch(name, s3)


@pytest.mark.parametrize("name", ["", "latest", "../../../etc/passwd", "0" * 63, "A" * 64])
def test_what_is_no_name_names_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ToolchainError, match="is no plan's name"):
        shelf(tmp_path).fetch(name, None)


def test_a_file_that_would_land_elsewhere_is_not_unpacked(tmp_path: Path, files: Path) -> None:
    (tmp_path / "outside").write_text("x")
    escaping = pack(MANIFEST, files, ["../outside"])
    with pytest.raises(Exception, match="outside the destination"):
        unpack(escaping, tmp_path / "deep" / "taken")


@pytest.mark.terragrunt
def test_plans_are_kept_beside_the_state() -> None:
    kept = shelf_of(TREE, "prod")
    assert (kept.bucket, kept.region) == (BUCKET, "us-west-2")
    assert client_for(shelf_of(TREE, "local"), "local") is None


INPUTS = {"TF_VAR_origin_key": "secret", "TF_VAR_name": "landing", "PATH": "/bin"}


def test_a_plan_is_applied_for_the_inputs_that_it_was_made_for(tmp_path: Path) -> None:
    plan = tmp_path / "tfplan.tfplan"
    plan.write_text("plan")
    kept_plan.keep(plan, INPUTS)

    assert kept_plan.refusal(plan, {**INPUTS, "PATH": "/usr/bin"}) == ""
    assert "secret" not in kept_plan.beside(plan).read_text()


@pytest.mark.parametrize(
    "now",
    [
        {**INPUTS, "TF_VAR_origin_key": "rotated"},
        {**INPUTS, "TF_VAR_more": ""},
        {name: text for name, text in INPUTS.items() if name != "TF_VAR_name"},
    ],
    ids=["changed", "added", "gone"],
)
def test_a_plan_is_stale_once_what_its_unit_reads_has_changed(
    tmp_path: Path, now: dict[str, str]
) -> None:
    plan = tmp_path / "tfplan.tfplan"
    plan.write_text("plan")
    kept_plan.keep(plan, INPUTS)

    assert "is stale" in kept_plan.refusal(plan, now)


def test_a_plan_of_unknown_inputs_or_none_at_all_is_refused(tmp_path: Path) -> None:
    plan = tmp_path / "tfplan.tfplan"
    assert "wasn't planned" in kept_plan.refusal(plan, INPUTS)
    plan.write_text("plan")
    assert "Nobody wrote down" in kept_plan.refusal(plan, INPUTS)
