"""Comparison with the stored outputs: what was made passes, what was altered does not."""

import pytest

from ntk.companion.book.execute import NotebookFailedError
from ntk.companion.book.replay import replay


@pytest.mark.usefixtures("executed")
def test_the_outputs_that_were_made_pass(project, executed):
    replay(project, executed)


def test_an_altered_output_fails(project, executed, executed_text):
    executed.ipynb.write_text(executed_text.replace('"3\\n"', '"4\\n"'))
    with pytest.raises(NotebookFailedError, match="does not give the stored outputs") as failed:
        replay(project, executed)
    assert "mismatch 'stdout'" in str(failed.value)
