"""The sample invoices that the demo ships."""

from tests.samples import SAMPLES, samples


def test_the_committed_samples_are_what_the_generator_writes() -> None:
    committed = {path.name: path.read_bytes() for path in SAMPLES.iterdir()}

    assert committed == samples()
