"""Lists the benchmarks, each with the first line of what it says of itself."""

import ast
from pathlib import Path

FOLDER = Path(__file__).parent


def targets() -> dict[str, str]:
    """Name and purpose of every module and package here that can be run."""
    found = {}
    for path in sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*/__main__.py")]):
        text = path.read_text()
        if path == Path(__file__) or '__name__ == "__main__"' not in text:
            continue
        is_package = path.name == "__main__.py"
        described = path.with_name("__init__.py") if is_package else path
        name = path.parent.name if is_package else path.stem
        found[name] = (ast.get_docstring(ast.parse(described.read_text())) or "").partition("\n")[0]
    return found


if __name__ == "__main__":
    print('make bench TARGET=ingest ARGS="--help", where TARGET is one of')
    for name, purpose in targets().items():
        print(f"  {name:<10} {purpose}")
