"""From paths to what is judged: facts of every supported file, in one inventory or one for each file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..inventory.inventory import Inventory
from ..sources import documents, pulumi_files
from ..sources.documents import LoneDocument
from ..sources.files import InputError, Parsed, Place, find
from ..sources.located import LocatedFacts, Note

SUPPORTED = (
    "an IAM policy document, a role of the AWS CLI, `pulumi stack export`, or `pulumi preview --json --show-sames`"
)


@dataclass(frozen=True)
class Loaded:
    """What is judged as a whole.

    Attributes:
        name: the files, as messages call them.
        resources: what the files state, by URN.
        vended: names of roles that the input calls vended although no pool in it vends them.
        notes: what was assumed or left out.
        planned: whether what is not known is decided when the change is made: a preview or a plan.
    """

    name: str
    inventory: Inventory
    resources: Mapping[str, LocatedFacts]
    vended: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    planned: bool = False

    def place(self, urn: str, document: str = "", statement: int | None = None) -> Place:
        """Where a resource stands, or one of its documents, or a statement of it."""
        resource = self.resources.get(urn)
        if resource is None:
            return Place(self.name)
        places = resource.documents.get(document.rstrip("′"))
        return resource.place if places is None else places.statement(statement)


@dataclass
class _Sorted:
    """The files of one inventory, by what they are."""

    names: list[str] = field(default_factory=list)
    resources: list[LocatedFacts] = field(default_factory=list)
    lone: list[LoneDocument] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    planned: bool = False

    def add(self, file: Parsed) -> bool:
        """Take a file in; whether it is of a kind that is supported."""
        value = file.value
        lone = documents.lone_document(file)
        if pulumi_files.is_state(value):
            self.resources += pulumi_files.read_state(file)
        elif pulumi_files.is_preview(value):
            self.resources += pulumi_files.read_preview(file)
            self.planned = True
        elif lone is not None:
            self.lone.append(lone)
        elif documents.is_cli_output(value):
            self.resources += documents.read_cli_output(file)
        else:
            return False
        self.names.append(file.name)
        return True

    def loaded(self) -> Loaded:
        lone, vended = documents.read_lone(self.lone)
        resources: dict[str, LocatedFacts] = {}
        inventory = Inventory()
        for resource in (*self.resources, *lone):
            if resource.urn in resources:
                first = resources[resource.urn].place
                raise InputError(resource.place, f"states `{resource.urn}` again, which {first} states; use --each")
            resources[resource.urn] = resource
            inventory.add(resource.facts)
        return Loaded(_name(self.names), inventory, resources, tuple(vended), tuple(self.notes), self.planned)


def load(paths: Sequence[str], each: bool = False, progress: Callable[[str], None] = lambda _: None) -> list[Loaded]:
    """What some paths hold: one inventory, or, with `each`, one for each file.

    Raises:
        InputError: a file cannot be judged.
    """
    given = set(paths)
    groups: list[_Sorted] = []
    for file in _files(paths, progress):
        if each or not groups:
            groups.append(_Sorted())
        if not groups[-1].add(file) and file.name in given:
            raise InputError(file.name, f"is not supported; expected {SUPPORTED}")
    groups = [group for group in groups if group.names]
    if not groups:
        raise InputError(", ".join(paths), f"there is nothing to judge; expected {SUPPORTED}")
    return [group.loaded() for group in groups]


def _files(paths: Sequence[str], progress: Callable[[str], None]) -> Iterable[Parsed]:
    seen: set[str] = set()
    for file in find(paths):
        progress(f"reading {file.name}")
        if file.name not in seen:
            seen.add(file.name)
            yield file


def _name(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
