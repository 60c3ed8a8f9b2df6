"""What the documents hold that commands write as JSON: a type for each, of which schemas are made.

Nothing that writes a document imports them: they describe what it wrote, and tests hold it to them.
"""

from pathlib import Path

SCHEMAS = Path(__file__).parents[2] / "schemas"
"""The folder of the schemas that the package ships."""


def file_name(document: str) -> str:
    """The name of the file with the schema of a document such as ``forecast/1``."""
    return f"{document.replace('/', '-')}.json"
