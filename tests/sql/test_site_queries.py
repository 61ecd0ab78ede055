"""The queries of the pages, over tables written out here."""

import duckdb
import pytest

from ote import sql_files

Z = 1.6448536269514722  # standard deviations from the median to p95


def test_an_interval_narrows_to_that_of_the_best_known_basis_of_its_largest_factor() -> None:
    """Watts of 100 with a gsd of 2; with disclosed ones it is 1.1."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table method as
            from (values ('disclosed', 1.1), ('other', 1.0)) as t (basis, gsd)
            select 'watts_per_chip' as factor, basis, gsd;
            create table emissions as select 'run' as run_id;
            create table emission_factors as
            select 'run' as run_id, 'watts_per_chip' as factor, 100.0 as value, 0.0 as lower_bound,
                2.0 as gsd, 100 / 2.0 ** {Z} as p05, 100 * 2.0 ** {Z} as p95;
            """
        )
        found = connection.sql(sql_files.text("site.narrow")).fetchall()
    assert found == [("watts_per_chip", 1, pytest.approx(2.0**Z), pytest.approx(1.1**Z))]
