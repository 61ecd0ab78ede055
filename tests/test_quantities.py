"""Numbers as people read them."""

import pytest

from pipelines.answers import quantities


@pytest.mark.parametrize(
    ("mwh", "shown"),
    [
        (1289, "1.29 GWh"),
        (0.0131, "13.1 kWh"),
        (4.33e-7, "0.433 Wh"),
        (0, "0 Wh"),
        (999.6, "1.00 GWh"),
        (0.9994, "999 kWh"),
        (7.646e6, "7.65 TWh"),
        (1e9, "1,000 TWh"),
    ],
)
def test_an_energy_has_three_digits_and_the_unit_that_fits(mwh: float, shown: str) -> None:
    assert quantities.energy(mwh) == shown


@pytest.mark.parametrize(
    ("tonnes", "shown"), [(552.1, "552 t"), (0.00504, "5.04 kg"), (4.33e-7, "0.433 g"), (91049, "91.0 kt")]
)
def test_a_mass_has_three_digits_and_the_unit_that_fits(tonnes: float, shown: str) -> None:
    assert quantities.mass(tonnes) == shown


def test_an_interval_scales_each_of_its_ends() -> None:
    assert quantities.mass_interval(0.5, 0.05, 5) == "500 kg (50.0 kg to 5.00 t)"
