-- How solid a number is, best first: measured, disclosed, inferred, guessed. Until the published tables have the
-- column `solidity`, this is the one place that says it; `wide` is p95 over p05 from which an estimate is a guess.
create or replace temp macro run_solidity(energy_basis, hours_basis, watts_basis, p05, p95, wide) as
    case
        when p95 > wide * p05 or hours_basis in ('third_party_speculative', 'third_party_likely') then 'guessed'
        when energy_basis = 'reported' then 'disclosed'
        when hours_basis not in ('disclosed', 'chips_x_hours') then 'inferred'
        when watts_basis = 'disclosed_measured' then 'measured'
        else 'disclosed'
    end;

create or replace temp macro factor_solidity(basis) as
    case
        when basis in ('disclosed_measured', 'operator_hourly') then 'measured'
        when basis in ('disclosed', 'chips_x_hours', 'stated_tdp', 'site_quarter', 'site_year') then 'disclosed'
        when
            basis in (
                'third_party_likely', 'third_party_speculative', 'flop_by_era', 'hardware_mix', 'developer_country_year',
                'world_year', 'training_places', 'equals_gross'
            )
            then 'guessed'
        else 'inferred'
    end;
