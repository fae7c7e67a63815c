"""What is left of botocore's data makes the same client as all of it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.exceptions import EndpointVariantError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.regions import EndpointResolver

from toolchain import sdk

ALL = Path(botocore.__file__).parent


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    files = {
        f"botocore/{path.relative_to(ALL)}": path.read_bytes()
        for path in (*ALL.glob("data/*.json"), *ALL.glob("data/[a-e]*/*/*"))
    }
    assert len(files) > 500
    return sdk.reduced(files)


@pytest.fixture(scope="module")
def loader(kept: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Loader:
    """Reads the data that is kept, and no other."""
    folder = tmp_path_factory.mktemp("packed")
    for name, content in kept.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return Loader([str(folder / "botocore/data")], include_default_search_paths=False)


def test_the_generator_of_documentation_goes_and_what_botocore_imports_of_it_is_there() -> None:
    files = {f"botocore/docs/{path.name}": path.read_bytes() for path in ALL.glob("docs/*.py")}
    kept = sdk.reduced(files)
    assert set(kept) == {f"botocore/docs/{name}.py" for name in ("__init__", "docstring", "utils")}
    assert kept["botocore/docs/utils.py"] == files["botocore/docs/utils.py"]
    standing_in: dict[str, Any] = {}
    exec(kept["botocore/docs/docstring.py"], standing_in)  # noqa: S102 - as the function imports it
    real = re.findall(
        r"^class (\w+Docstring)\(", files["botocore/docs/docstring.py"].decode(), re.M
    )
    used = [name for name in real if name != "LazyLoadedDocstring"]
    assert len(used) == 3
    assert [standing_in[name](operation_model=None, include_signature=False) for name in used] == [
        None
    ] * 3


def test_nothing_is_kept_but_dynamodbs_data_and_what_no_service_goes_without(
    kept: dict[str, bytes],
) -> None:
    shared = ("_retry", "endpoints", "partitions", "sdk-default-configuration")
    own = (
        "endpoint-rule-set-1.json.gz", "paginators-1.json", "service-2.json", "waiters-2.json",
    )  # fmt: skip
    assert set(kept) == {
        *(f"botocore/data/{name}.json" for name in shared),
        *(f"botocore/data/dynamodb/2012-08-10/{name}" for name in own),
    }
    assert sum(map(len, kept.values())) < 150_000


def test_botocore_has_no_newer_version_of_dynamodbs_api() -> None:
    assert Loader().determine_latest_version(sdk.SERVICE, "service-2") == sdk.API_VERSION


def test_every_operation_and_shape_is_there_and_only_words_are_gone(loader: Loader) -> None:
    name = f"dynamodb/{sdk.API_VERSION}/service-2.json.gz"
    whole = json.loads(gzip.decompress((ALL / "data" / name).read_bytes()))
    packed = loader.load_service_model("dynamodb", "service-2")
    assert "documentation" in whole
    assert packed == sdk.without_documentation(whole)
    mine, theirs = ServiceModel(packed), ServiceModel(whole)
    assert mine.operation_names == theirs.operation_names
    assert mine.shape_names == theirs.shape_names
    assert mine.signature_version == theirs.signature_version


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"documentation": "words", "type": "map"}, {"type": "map"}),
        ({"members": {"documentation": {"shape": "Text"}}}, None),
        ([{"documentation": "words"}, 1, "text", None], [{}, 1, "text", None]),
    ],
    ids=["words go", "a member of that name stays", "lists"],
)
def test_only_texts_called_documentation_go(document: Any, expected: Any) -> None:
    assert sdk.without_documentation(document) == (document if expected is None else expected)


def endpoint(resolver: EndpointResolver, partition: str, region: str, variant: str) -> Any:
    """Give where a Region's DynamoDB is and how it is signed, or why there is none."""
    try:
        return resolver.construct_endpoint(
            "dynamodb",
            region,
            partition,
            use_dualstack_endpoint=variant == "dualstack",
            use_fips_endpoint=variant == "fips",
        )
    except EndpointVariantError as error:
        return str(error)


def test_every_region_has_the_endpoint_and_the_signature_that_it_has_in_all_the_data(
    loader: Loader,
) -> None:
    mine, theirs = (EndpointResolver(one.load_data("endpoints")) for one in (loader, Loader()))
    partitions = theirs.get_available_partitions()
    regions = [
        (partition, region)
        for partition in partitions
        for region in theirs.get_available_endpoints("dynamodb", partition)
    ]
    assert mine.get_available_partitions() == partitions
    assert len(regions) > 30
    for partition, region in [*regions, ("aws", "xx-new-1")]:
        for variant in ("", "dualstack", "fips"):
            asked = (partition, region, variant)
            assert endpoint(mine, *asked) == endpoint(theirs, *asked)
