"""What `ote build` writes into Dagster's history, Dagster reads as its own."""

from pathlib import Path

import dagster as dg

from ote import history


@dg.asset
def number() -> None:
    """An asset with a check."""


@dg.asset_check(asset=number)
def holds() -> dg.AssetCheckResult:
    """A check that passes."""
    return dg.AssetCheckResult(passed=True)


@dg.asset(deps=[number])
def failing() -> None:
    """An asset that cannot be made."""
    raise ValueError("no such thing")


def standard(folder: Path) -> dg.DagsterInstance:
    """Dagster as dagster.yaml configures it."""
    storage = {"storage": {"sqlite": {"base_dir": str(folder)}}, "telemetry": {"enabled": False}}
    return dg.DagsterInstance.local_temp(str(folder), overrides=storage)


def materialize(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return dg.materialize([number, holds, failing], instance=instance, raise_on_error=False, run_config=quiet)


def test_a_standard_instance_reads_all_that_was_kept(tmp_path: Path) -> None:
    with history.instance(tmp_path) as kept:
        runs = [materialize(kept).run_id for _ in range(2)]
        stated = {run_id: [log.message for log in kept.all_logs(run_id)] for run_id in runs}
    assert all(stated.values())
    with standard(tmp_path) as instance:
        assert {run.run_id for run in instance.get_runs()} == set(runs)
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.FAILURE}
        assert {run_id: [log.message for log in instance.all_logs(run_id)] for run_id in runs} == stated
        latest = instance.get_latest_materialization_event(number.key)
        assert latest is not None
        assert latest.run_id == runs[-1]


def test_a_run_is_reported_as_dagster_alone_tells_it(tmp_path: Path) -> None:
    kinds = []
    for name, opened in (("kept", history.instance), ("standard", standard)):
        (tmp_path / name).mkdir()
        with opened(tmp_path / name) as instance:
            run_id = materialize(instance).run_id
            kinds.append([str(log.dagster_event_type) for log in instance.all_logs(run_id)])
    assert kinds[0] == kinds[1]


def test_a_history_that_dagster_began_goes_on(tmp_path: Path) -> None:
    with standard(tmp_path) as instance:
        first = materialize(instance).run_id
    with history.instance(tmp_path) as kept:
        second = materialize(kept).run_id
        assert {run.run_id for run in kept.get_runs()} == {first, second}
        assert kept.all_logs(first)
