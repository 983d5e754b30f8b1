"""Hold documents that ask Shopify for what a store's ledger needs."""

from pathlib import Path

FOLDER = Path(__file__).with_name("documents")


def document(name: str) -> str:
    """Return a document by its file's name, the fragments it uses included."""
    text = (FOLDER / f"{name}.graphql").read_text()
    return text + (FOLDER / "money.graphql").read_text() if "...Both" in text else text


def all_names() -> list[str]:
    """Return the names of all documents."""
    return sorted(path.stem for path in FOLDER.glob("*.graphql") if path.stem != "money")
