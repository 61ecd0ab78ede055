"""Numbers as people read them."""

import pytest

from ote.answers import quantities


@pytest.mark.parametrize(
    ("mwh", "shown"),
    [
        (1289, "1.29 GWh"),
        (0.0131, "13.1 kWh"),
        (4.33e-7, "0.433 Wh"),
        (4.33e-10, "433 µWh"),
        (7.51e-11, "75.1 µWh"),
        (4e-14, "0.0400 µWh"),
        (0, "0 MWh"),
        (999.6, "1.00 GWh"),
        (0.9994, "999 kWh"),
        (7.646e6, "7.65 TWh"),
        (1e9, "1,000 TWh"),
    ],
)
def test_an_energy_has_three_digits_and_the_unit_that_fits(mwh: float, shown: str) -> None:
    assert quantities.energy(mwh) == shown


@pytest.mark.parametrize(
    ("tonnes", "shown"),
    [
        (552.1, "552 t"),
        (0.00504, "5.04 kg"),
        (4.33e-7, "0.433 g"),
        (4.33e-10, "433 µg"),
        (6.86e-12, "6.86 µg"),
        (91049, "91.0 kt"),
    ],
)
def test_a_mass_has_three_digits_and_the_unit_that_fits(tonnes: float, shown: str) -> None:
    assert quantities.mass(tonnes) == shown


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (20 / 3600, "20 seconds"),
        (1 / 3600, "1 second"),
        (0.5 / 3600, "500 milliseconds"),
        (1.52e-7, "547 microseconds"),
        (1e-11, "0.036 microseconds"),
        (59.99 / 60, "1 hour"),
        (0.25, "15 minutes"),
        (90.3 / 3600, "1.5 minutes"),
        (1, "1 hour"),
        (10.0001388889, "10 hours"),
        (2.5, "2.5 hours"),
        (300, "300 hours"),
        (1234.56, "1,235 hours"),
        (87600, "87,600 hours"),
    ],
)
def test_a_time_has_three_digits_and_the_unit_that_fits(hours: float, shown: str) -> None:
    assert quantities.duration(hours) == shown


@pytest.mark.parametrize(
    ("hours", "shown"), [(3_552_000, "3.55 million h"), (0.01, "0.0100 h"), (1.52e-7, "547 microseconds")]
)
def test_few_accelerator_hours_are_shown_as_a_time(hours: float, shown: str) -> None:
    assert quantities.chip_hours(hours) == shown


@pytest.mark.parametrize(
    ("m3", "shown"),
    [
        (2600, "2,600 m³"),
        (1, "1.00 m³"),
        (0.00252, "2.52 L"),
        (3.3e-6, "3.30 mL"),
        (3.26e-10, "0.326 µL"),
        (0, "0 m³"),
    ],
)
def test_a_volume_has_three_digits_and_the_unit_that_fits(m3: float, shown: str) -> None:
    assert quantities.volume(m3) == shown


def test_the_ends_of_few_accelerator_hours_have_their_units() -> None:
    assert quantities.chip_hours_span(120, 3_552_000) == "120 to 3.55 million h"
    assert quantities.chip_hours_span(1e-6, 2) == "3.6 milliseconds to 2.00 h"


def test_an_interval_scales_each_of_its_ends() -> None:
    assert quantities.mass_interval(0.5, 0.05, 5) == "500 kg (50.0 kg to 5.00 t)"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.09, "0.0900"), (1.1, "1.10"), (310, "310"), (76_186, "76,186"), (3_552_000, "3.55 million")],
)
def test_counts_are_scaled_from_a_million_on(number: float, text: str) -> None:
    assert quantities.count(number) == text


def test_counts_never_round_up_to_a_thousand_thousands() -> None:
    assert quantities.count(999_499) == "999,499"
    assert quantities.count(999_500) == "1.00 million"
    assert quantities.count(7.538e9) == "7.54 billion"


@pytest.mark.parametrize(
    ("p05", "p95", "energy", "mass"),
    [
        (1.22, 1.36, "1.22 to 1.36 MWh", "1.22 to 1.36 t"),
        (0.5, 20, "500 kWh to 20.0 MWh", "500 kg to 20.0 t"),
    ],
)
def test_a_unit_that_two_ends_share_is_written_once(p05: float, p95: float, energy: str, mass: str) -> None:
    assert quantities.energy_span(p05, p95) == energy
    assert quantities.mass_span(p05, p95) == mass


def test_a_guess_spans_more_than_a_factor_of_100() -> None:
    assert not quantities.is_guess(1, 100)
    assert quantities.is_guess(1, 100.1)
