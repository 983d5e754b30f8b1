"""Hold the sandbox apart: it may use the standard library, graphql-core and msgspec, and nothing the product is made of."""

import ast
import sys
from pathlib import Path

SANDBOX = Path(__file__).resolve().parents[2] / "connectors" / "sandbox"


def test_sandbox_imports_nothing_of_ours() -> None:
    allowed = {*sys.stdlib_module_names, "graphql", "msgspec"}
    strange = []
    for path in sorted(SANDBOX.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            strange += [(path.name, name) for name in names if name.split(".")[0] not in allowed and not name.startswith("connectors.sandbox")]
    assert strange == []
