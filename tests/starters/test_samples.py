"""The sample invoices and contracts that the demo ships."""

from tests.contracts import CONTRACTS, contracts
from tests.samples import SAMPLES, samples


def test_the_committed_samples_are_what_the_generator_writes() -> None:
    committed = {path.name: path.read_bytes() for path in SAMPLES.iterdir()}

    assert committed == samples()


def test_the_committed_contracts_are_what_the_generator_writes() -> None:
    committed = {path.name: path.read_bytes() for path in CONTRACTS.iterdir()}

    assert committed == contracts()
