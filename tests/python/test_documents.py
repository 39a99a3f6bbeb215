"""What the documents promise: their Python runs as it stands there, their links lead somewhere."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from stubs import ROOT

HOW_TO = ROOT / "docs" / "how-to"
# Where `mainstay up` listens, as the documents have it.
USUAL_ADDRESS = "127.0.0.1:7461"
RUN_SECONDS_MAX = 90


def python_of(document):
    """All Python blocks of a document as one program; blocks within lists are indented."""
    text = (HOW_TO / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^( *)```python\n(.*?)^\1```", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks, f"no Python in {document}"
    return "\n".join(textwrap.dedent(block) for _, block in blocks)


def run(document, address, generated):
    """What the document's program prints."""
    program = python_of(document)
    assert USUAL_ADDRESS in program
    path = os.pathsep.join([str(generated), str(ROOT / "tests" / "python")])
    done = subprocess.run(
        [sys.executable, "-c", program.replace(USUAL_ADDRESS, address)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def links_of(document):
    """The files to which a document links, as it writes them."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target.split("#")[0] for target in targets if "://" not in target and not target.startswith("#")]


def test_links_lead_to_files_that_are_there():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("demo/**/*.md")]
    links = [(document, target) for document in documents for target in links_of(document)]
    assert len(links) > 20
    broken = [f"{document.relative_to(ROOT)}: {target}" for document, target in links if not (document.parent / target).exists()]
    assert not broken, broken


# In the order of the documents: the second asks for the health that the first brought about.
@pytest.fixture(scope="module")
def from_python(address, generated):
    return run("call-from-python.md", address, generated)


def test_calling_from_python(from_python):
    assert re.fullmatch(
        r"1 is durable: 1 new, 0 known\n"
        r"\d+\.\d+ BAND_[A-Z_]+\n"
        r"scoring\.mainstay ACCOUNT_NOT_FOUND \{'account': 'accounts/nobody'\}\n",
        from_python,
    ), from_python


def test_calling_by_reflection(from_python, address, generated):
    printed = run("call-by-reflection.md", address, generated)
    assert printed.split() == from_python.splitlines()[1].split()
