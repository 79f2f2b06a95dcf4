"""A parameter that a chapter does not have stops it, also where papermill alone executes it."""

import papermill
import pytest

from algzoo.chapters.parameters import refuse_unknown_parameters, unknown_parameters

PARAMETERS = "seed = None  # of the model\nsource = 'bundled'"


@pytest.mark.parametrize(
    ("executed", "unknown"),
    [
        (["", PARAMETERS, "# Parameters\nseed = 3\n", "import algzoo"], []),
        (["", PARAMETERS, "# Parameters\nseeed = 3\nseed = 1\n", "import algzoo"], ["seeed"]),
        (["", PARAMETERS, "import algzoo"], []),
        (["", PARAMETERS], []),
        ([], []),
        # Not a parameters cell, in a notebook that is nobody's chapter.
        (["", "%matplotlib inline", "# Parameters\nx = 3\n"], []),
        (["", "import sys", "# Parameters\nx = 3\n"], []),
        (["", "# Parameters\nx = 3\n"], []),
    ],
)
def test_unknown_parameters_are_those_of_papermills_cell_alone(executed, unknown):
    assert unknown_parameters(executed)[0] == unknown


def test_outside_a_notebook_nothing_is_refused():
    refuse_unknown_parameters()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's start-up
def test_papermill_itself_stops_at_an_unknown_parameter(small_clone, tmp_path):
    chapter, output = small_clone / "analyses" / "small.ipynb", tmp_path / "out.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match=r"no parameter 'scael'.*: scale"):
        papermill.execute_notebook(
            chapter, output, {"scael": 2}, kernel_name="python3", progress_bar=False
        )
