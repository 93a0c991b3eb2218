"""From transactions to posted statement lines; docs/writer.md explains each step."""

from .bulk import BULK
from .hooks import WRITTEN
from .transactions import CHUNK, REFUSALS, Writer
