"""Every processor that the package has through the harness; one that is not among the cases fails here."""

import pytest

from tests.layers.cases import CASES, ONE_EACH, shipped_types, types_of_cases
from tests.layers.harness import assert_layer_behaves


def test_every_shipped_processor_goes_through_the_harness():
    assert types_of_cases() == shipped_types()


@pytest.mark.parametrize(
    ("sample_rate", "hop"), [(16000, 64), pytest.param(44100, 441, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ONE_EACH)
def test_processor_behaves_as_a_keras_layer_and_streams(name, sample_rate, hop, tmp_path):
    layer = CASES[name](sample_rate, hop)
    assert_layer_behaves(layer, tmp_path, dropped_samples=getattr(layer, "drop_samples", 0))
