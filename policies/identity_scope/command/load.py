"""From paths to what is judged: facts of every supported file, in one inventory or one for each file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..inventory.inventory import Inventory
from ..inventory.labels import unmarked
from ..sources import cloudformation, documents, pulumi_files, terraform
from ..sources.cloudformation import Assumptions
from ..sources.cloudformation_resources import Reading, read_templates
from ..sources.documents import LoneDocument
from ..sources.files import InputError, Parsed, Place, find
from ..sources.located import LocatedFacts, Note

SUPPORTED = (
    "a CloudFormation template, an IAM policy document, a role of the AWS CLI, `terraform show -json`, "
    "`pulumi stack export`, or `pulumi preview --json --show-sames`"
)

_UNSETTLED = "what is to be deleted is still there, and what an interrupted update began is made"


@dataclass(frozen=True)
class Loaded:
    """What is judged as a whole.

    Attributes:
        name: the files, as messages call them.
        resources: what the files state, by URN.
        vended: names of roles that the input calls vended although no pool in it vends them.
        notes: what was assumed or left out.
        planned: whether what is not known is decided when the change is made: a preview or a plan.
        condition: what decides that it is so and not otherwise; empty where nothing has to.
        alternatives: the same where conditions turn out otherwise.
        unknown: what is not known in the documents of templates, as policy variables.
        sampled: the same with a value for each of these; None where nothing is unknown.
        samples: these values, each with what it stands for.
    """

    name: str
    inventory: Inventory
    resources: Mapping[str, LocatedFacts]
    vended: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    planned: bool = False
    condition: str = ""
    alternatives: tuple[Loaded, ...] = ()
    unknown: tuple[str, ...] = ()
    sampled: Loaded | None = None
    samples: Mapping[str, str] = field(default_factory=dict)

    def place(self, urn: str, document: str = "", statement: int | None = None) -> Place:
        """Where a resource stands, or one of its documents, or a statement of it."""
        resource = self.resources.get(urn)
        if resource is None:
            return Place(self.name)
        places = resource.documents.get(unmarked(document))
        return resource.place if places is None else places.statement(statement)


@dataclass
class _Sorted:
    """The files of one inventory, by what they are."""

    names: list[str] = field(default_factory=list)
    resources: list[LocatedFacts] = field(default_factory=list)
    lone: list[LoneDocument] = field(default_factory=list)
    templates: list[Parsed] = field(default_factory=list)
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
        elif terraform.is_terraform(value):
            self.resources += terraform.read_terraform(file)
            self.planned = self.planned or terraform.is_plan(value)
        elif cloudformation.is_template(value):
            self.templates.append(file)
        elif lone is not None:
            self.lone.append(lone)
        elif documents.is_cli_output(value):
            self.resources += documents.read_cli_output(file)
        else:
            return False
        self.names.append(file.name)
        return True

    def loaded(self, assumptions: Assumptions) -> Loaded:
        """The inventory of the files, with and without what is not settled; with templates, one for each way that their
        conditions may turn out."""
        lone, vended = documents.read_lone(self.lone)
        settled = [*(each for each in self.resources if not each.unsettled), *lone]
        unsettled = [each for each in self.resources if each.unsettled]
        ways = [(settled, "")]
        if unsettled:
            changed = {each.urn for each in unsettled}
            ways.append(([*(each for each in settled if each.urn not in changed), *unsettled], _UNSETTLED))
        if self.templates:
            assumed = "" if assumptions.region_known else assumptions.region
            readings = read_templates(self.templates, assumptions)
            some = any(reading.samples for reading in readings)
            samples = read_templates(self.templates, assumptions, sampled=True) if some else [None] * len(readings)
            first, *others = (
                self._both(resources, vended, condition, assumed, reading, sample)
                for resources, condition in ways
                for reading, sample in zip(readings, samples, strict=True)
            )
        else:
            first, *others = (self._inventory(resources, vended, (), condition) for resources, condition in ways)
        return replace(first, alternatives=tuple(others))

    def _both(
        self,
        base: Sequence[LocatedFacts],
        vended: Sequence[str],
        condition: str,
        assumed: str,
        reading: Reading,
        sample: Reading | None,
    ) -> Loaded:
        """What is judged, and the same with values for what is not known."""

        def loaded(each: Reading) -> Loaded:
            world = " and ".join(filter(None, (str(each.world), condition)))
            return self._inventory([*base, *each.resources], vended, each.notes, world, assumed)

        found = loaded(reading)
        if sample is None or not reading.samples:
            return found
        return replace(found, unknown=tuple(reading.samples), sampled=loaded(sample), samples=sample.samples)

    def _inventory(
        self,
        resources: Iterable[LocatedFacts],
        vended: Sequence[str],
        notes: Sequence[Note],
        condition: str,
        assumed_region: str = "",
    ) -> Loaded:
        by_urn: dict[str, LocatedFacts] = {}
        for resource in resources:
            if resource.urn in by_urn:
                first = by_urn[resource.urn].place
                raise InputError(resource.place, f"states `{resource.urn}` again, which {first} states; use --each")
            by_urn[resource.urn] = resource
        inventory = Inventory.of((resource.facts for resource in by_urn.values()), assumed_region)
        name = _name(self.names)
        return Loaded(name, inventory, by_urn, tuple(vended), tuple(notes), self.planned, condition)


def load(
    paths: Sequence[str],
    each: bool = False,
    assumptions: Assumptions | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Loaded]:
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
    return [group.loaded(assumptions or Assumptions()) for group in groups]


def _files(paths: Sequence[str], progress: Callable[[str], None]) -> Iterable[Parsed]:
    seen: set[str] = set()
    for file in find(paths):
        progress(f"reading {file.name}")
        path = os.path.realpath(file.name)
        if path not in seen:
            seen.add(path)
            yield file


def _name(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
