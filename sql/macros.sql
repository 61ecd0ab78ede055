-- Names that several queries share. Loaded into every connection of the working database, and of `ote estimate`.
-- A source is known by its address: scheme and www dropped, the rest as a slug.
create or replace temp macro source_id(url) as
trim(lower(regexp_replace(regexp_replace(url, '^https?://(www\.)?', ''), '[^A-Za-z0-9]+', '-', 'g')), '-');

-- Numbers as computers write them: a point for decimals, no separators; infinities and NaN are no quantities.
create or replace temp macro number_of(cell) as
if(isfinite(try_cast(cell as double)), cell::double, null);

-- Text that no cell of a user's runs may have: longer than 1,000 characters, or with control characters (but tabs and line ends).
create or replace temp macro is_bad_text(cell) as
length(cell) > 1000 or regexp_matches(cell, '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]');

-- Whether a cell was given and is not a number, or is bad text.
create or replace temp macro is_doubtful_number(cell, number) as
(cell is not null and number is null) or (typeof(cell) = 'VARCHAR' and is_bad_text(cell::varchar));

-- What programs write where there is no name.
create or replace temp macro is_no_name(cell) as
lower(trim(cell)) in ('', 'none', 'nan', 'n/a', '[n/a]', 'na', 'null', 'unknown', '-');

-- The instant that a cell holds, in UTC: a day with its time and the time's zone. Without a zone the instant is not known.
create or replace temp macro instant_of(cell) as
if(
    regexp_full_match(cell, '\s*\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)\s*'),
    make_timestamp(epoch_us(try_cast(trim(cell) as timestamptz))),
    null
);

-- Whether a cell holds a time of day without its zone.
create or replace temp macro is_time_without_zone(cell) as
regexp_full_match(cell, '\s*\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*');

-- A number of things. Frames write whole numbers with a gap among them as 8.0.
create or replace temp macro whole_number_of(cell) as
case
    when typeof(cell) = 'VARCHAR'
        then if(regexp_full_match(cell::varchar, '\s*[0-9]{1,12}(\.0*)?\s*'), cell::double, null)
    else if(number_of(cell) between 0 and 999999999999 and number_of(cell) = floor(number_of(cell)), cell::double, null)
end;

-- Spellings of one accelerator differ in case, spaces and punctuation only.
create or replace temp macro spelling_key(spelling) as
lower(regexp_replace(spelling, '[^A-Za-z0-9]+', '', 'g'));

-- The words of a chip's name in alphabetical order, without its maker and its line of products.
create or replace temp macro hardware_words(name) as
array_to_string(
    list_sort(
        list_filter(
            string_split_regex(regexp_replace(lower(name), '(\d)\s+gb\b', '\1gb'), '[^a-z0-9]+'),
            lambda word: word not in (
                '', 'nvidia', 'tesla', 'geforce', 'amd', 'radeon', 'instinct', 'google', 'intel'
            )
        )
    ),
    ' '
);

-- The words of a place's name in alphabetical order, without accents and articles: Netherlands (the), Korea, Republic of. A code
-- may be such a word: AND is Andorra.
create or replace temp macro location_key(name) as
array_to_string(
    list_sort(
        list_filter(
            string_split_regex(lower(strip_accents(name)), '[^a-z0-9]+'),
            lambda word: word not in ('', 'the', 'of') and (word <> 'and' or lower(trim(name)) = 'and')
        )
    ),
    ' '
);

-- What a host may draw beside each of its accelerators, W: 500 W for the host of one; in servers of several up to 225 W for
-- each (1,778 W beside eight A100 in a DGX under FP16 products, FlagPerf of BAAI).
create or replace temp macro host_allowance_w(chips) as
greatest(500 / greatest(coalesce(chips, 1), 1), 225);

-- Whether a whole system can draw this per accelerator: below 0.15 of the rating it idles, and above 1.5 and what its host adds
-- the rating or the unit is wrong.
create or replace temp macro is_of_rating(watts, tdp_w, host_w) as
watts between 0.15 * tdp_w and 1.5 * tdp_w + host_w;

-- The generation that a chip is a variant of, without form factor and memory: one architecture, built and run alike.
create or replace temp macro chip_family(hardware_id) as
case
    when regexp_matches(hardware_id, '^nvidia-p100') then 'nvidia-pascal'
    when regexp_matches(hardware_id, '^nvidia-v100') then 'nvidia-volta'
    when regexp_matches(hardware_id, '^nvidia-a(100|800)') then 'nvidia-ampere'
    when regexp_matches(hardware_id, '^nvidia-g?h(20|100|200|800)') then 'nvidia-hopper'
    when regexp_matches(hardware_id, '^nvidia-g?b(100|200|300)') then 'nvidia-blackwell'
    else regexp_replace(hardware_id, '-(sxm[0-9]*|pcie|nvl|oam|[0-9]+gb)(-.*)?$', '')
end;

-- A chip on one kind of board, whatever its memory: A100 SXM4 with 40 and with 80 GB have one rating, and draw alike.
create or replace temp macro board_of(hardware_id) as
regexp_replace(hardware_id, '-[0-9]+gb$', '');

-- The provider under whose name core.datacenter_pue has the average of the industry.
create or replace temp macro industry_average() as
'Industry average (Uptime Institute)';

-- The quantile of the standard normal distribution that ends a 90 % interval.
create or replace temp macro z_90() as
1.645;

-- How far an end of an interval is from its value, as a logarithm, with one more factor: distances add in squares.
create or replace temp macro widened(ln_distance, ln_gsd) as
sqrt(pow(ln_distance, 2) + pow(z_90() * ln_gsd, 2));

-- Geometric uncertainty around 1 of a list of log errors.
create or replace temp macro gsd_of(log_errors) as
exp(sqrt(avg(log_errors * log_errors order by log_errors)));

-- How much wider Student's t is than the normal distribution at 90 %, for the root mean square of n errors about zero, which has
-- n degrees of freedom: Abramowitz and Stegun 1964, 26.7.5, over z = 1.645.
create or replace temp macro student_widening(n) as
1 + 0.9265 / n + 0.8636 / pow(n, 2) + 0.5979 / pow(n, 3);

-- Geometric uncertainty whose 90 % interval covers held out log errors: their 90th percentile as split conformal prediction
-- takes it (Lei et al. 2018, arXiv 1604.04173) from twenty on, else their root mean square, widened as Student's t is.
create or replace temp macro calibrated_gsd(log_errors) as
case
    when len(log_errors) >= 20
        then
            exp(
                list_sort(list_transform(log_errors, lambda e: abs(e)))[
                    least(len(log_errors), ceil(0.9 * (len(log_errors) + 1)))::bigint
                ] / z_90()
            )
    when len(log_errors) >= 3
        then exp(sqrt(list_avg(list_transform(log_errors, lambda e: e * e))) * student_widening(len(log_errors)))
end;

-- The same for log errors that come in groups, from the mean square of each: measurements of one source err together, so
-- a source counts once, and their number is that of the sources.
create or replace temp macro calibrated_gsd_of_groups(mean_squares) as
case when len(mean_squares) >= 3 then exp(sqrt(list_avg(mean_squares)) * student_widening(len(mean_squares))) end;

-- The uncertainty of a basis of core.power_errors from the mean square of each of its groups.
create or replace temp macro power_gsd(basis, mean_squares) as
if(
    basis = 'measured_same_chip',
    calibrated_gsd(list_transform(mean_squares, lambda e: sqrt(e))), -- of one error each
    calibrated_gsd_of_groups(mean_squares)
);

-- Utilisations that Epoch AI assumes where it works FLOP out from hours: 30 %, 33 % and 40 % of the peak, within its
-- rounding. FLOP that come out at one of these say nothing about utilisation, whatever method they are filed under.
create or replace temp macro is_assumed_mfu(mfu) as
abs(mfu / 0.30 - 1) <= 0.01 or abs(mfu / 0.33 - 1) <= 0.01 or abs(mfu / 0.40 - 1) <= 0.01;

-- A fitted uncertainty, if there is one, and no less than that of who knows more.
create or replace temp macro no_less(own, of_who_knows_more) as
if(own is null, null, greatest(own, coalesce(of_who_knows_more, own)));

-- The basis of a power measurement: another one where no measurement that it rests on is by the data centre's own operator.
-- A ratio of chips of another kind is no surer there.
create or replace temp macro power_basis_of(watts_basis, measured_by, provider) as
watts_basis
|| if(
    watts_basis = 'measured_ratio_other_class' or list_contains(string_split(coalesce(measured_by, ''), ';'), provider),
    '',
    '_elsewhere'
);

-- The weakest verification among the rows that a value rests on.
create or replace temp macro least_verified(verified) as
case
    when bool_or(verified = 'recalled') then 'recalled'
    when bool_or(verified = 'secondary') then 'secondary'
    when bool_or(verified = 'epoch') then 'epoch'
    else 'primary'
end;

-- The first of several sources by its title: title, address and locator of one and the same, as a list.
create or replace temp macro first_source(source_title, source_url, source_locator) as
min([source_title, source_url, source_locator]);

-- Of the years that a mean rests on, from the first to the last, the one that is furthest from the run's: none stands in unseen.
create or replace temp macro furthest_year(first_year, last_year, run_year) as
if(last_year - run_year > run_year - first_year, last_year, first_year);

-- A count with its noun.
create or replace temp macro counted(n, noun) as
n || ' ' || noun || if(n = 1, '', 's');

-- The years that a mean rests on, in words.
create or replace temp macro year_span(first_year, last_year) as
if(first_year = last_year, first_year::varchar, first_year || ' to ' || last_year);

-- The weaker of two verifications.
create or replace temp macro least_verified_of(a, b) as
case
    when 'recalled' in (a, b) then 'recalled'
    when 'secondary' in (a, b) then 'secondary'
    when 'epoch' in (a, b) then 'epoch'
    else 'primary'
end;

-- A name as part of an identifier: lower case, without accents, words joined by hyphens.
create or replace temp macro slug(name) as
trim(regexp_replace(lower(strip_accents(name)), '[^a-z0-9]+', '-', 'g'), '-');

-- A name without blanks, hyphens and underlines, which renames often change.
create or replace temp macro letters(name) as
regexp_replace(name, '[\s_-]', '', 'g');

-- The first address in a cell that may hold several, one a line.
create or replace temp macro first_url(cell) as
nullif(regexp_extract(cell, 'https?://[^\s,]+'), '');

-- The names in a cell that holds several, separated by commas.
create or replace temp macro words_of(cell) as
list_transform(string_split(cell, ','), lambda word: trim(word));

-- Whether two lists of organisations, separated by ';', have one in common; unknown ones have none.
create or replace temp macro are_related(organisations, other) as
coalesce(list_has_any(string_split(organisations, ';'), string_split(other, ';')), false);

-- Share of an operator's electricity at the grid's average. Hourly matching: CFE = c + (1 - c) x grid share, with c the
-- share of its contracts, so 1 - c = (1 - CFE) / (1 - grid share). A CFE printed as 1.00 stands for 0.995 to 1: its middle.
create or replace temp macro grid_residual(operator_cfe_fraction, grid_cfe_fraction) as
if(
    operator_cfe_fraction is null or grid_cfe_fraction is null,
    null,
    least(1, greatest(1 - operator_cfe_fraction, 0.0025) / (1 - grid_cfe_fraction))
);

-- The normal distribution function above 0, after Hart 1968 and West 2005 (Better approximations to cumulative normal
-- functions), and its inverse, algorithm AS 241 of Wichura 1988: each right to 14 digits. DuckDB has neither.
create or replace temp macro polynomial(coefficients, x) as
list_sum(
    list_transform(
        range(len(coefficients)), lambda place: coefficients[place + 1] * pow(x, len(coefficients) - 1 - place)
    )
);
create or replace temp macro normal_upper_tail(z) as
exp(-z * z / 2)
* if(
    z < 7.07106781186547e0,
    polynomial(
        [
            3.52624965998911e-2, 0.700383064443688e0, 6.37396220353165e0, 33.912866078383e0, 112.079291497871e0,
            221.213596169931e0, 220.206867912376e0
        ], z
    )
    / polynomial(
        [
            8.83883476483184e-2, 1.75566716318264e0, 16.064177579207e0, 86.7807322029461e0, 296.564248779674e0,
            637.333633378831e0, 793.826512519948e0, 440.413735824752e0
        ], z
    ),
    1 / (z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65e0))))) / 2.506628274631e0
);
create or replace temp macro normal_below(z) as
if(z > 0, 1 - normal_upper_tail(z), normal_upper_tail(-z));
create or replace temp macro normal_quantile_centre(q) as
q
* polynomial(
    [
        2509.0809287301226727e0, 33430.575583588128105e0, 67265.770927008700853e0, 45921.953931549871457e0,
        13731.693765509461125e0, 1971.5909503065514427e0, 133.14166789178437745e0, 3.387132872796366608e0
    ], 0.180625e0 - q * q
)
/ polynomial(
    [
        5226.495278852545925e0, 28729.085735721942674e0, 39307.89580009271061e0, 21213.794301586595867e0,
        5394.1960214247511077e0, 687.1870074920579083e0, 42.313330701600911252e0, 1.0e0
    ], 0.180625e0 - q * q
);
create or replace temp macro normal_quantile_side(r) as
polynomial(
    [
        7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.4178072517745061177e-1, 1.27045825245236838258e0,
        3.64784832476320460504e0, 5.7694972214606914055e0, 4.6303378461565452959e0, 1.42343711074968357734e0
    ], r - 1.6e0
)
/ polynomial(
    [
        1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2, 1.4810397642748007459e-1,
        6.8976733498510000455e-1, 1.6763848301838038494e0, 2.05319162663775882187e0, 1.0e0
    ], r - 1.6e0
);
create or replace temp macro normal_quantile_tail(r) as
polynomial(
    [
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.2426609473880784386e-3, 2.6532189526576123093e-2,
        2.96560571828504891230e-1, 1.7848265399172913358e0, 5.4637849111641143699e0, 6.6579046435011037772e0
    ], r - 5.0e0
)
/ polynomial(
    [
        2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
        1.48753612908506148525e-2, 1.3692988092273580531e-1, 5.9983220655588793769e-1, 1.0e0
    ], r - 5.0e0
);
create or replace temp macro normal_quantile(p) as
case
    when abs(p - 0.5e0) <= 0.425e0 then normal_quantile_centre(p - 0.5e0)
    else
        sign(p - 0.5e0)
        * if(
            sqrt(-ln(least(p, 1 - p))) <= 5,
            normal_quantile_side(sqrt(-ln(least(p, 1 - p)))),
            normal_quantile_tail(sqrt(-ln(least(p, 1 - p))))
        )
end;

-- What an error adds to a logarithm in a draw: its load, times the quantile whose rank the lattice gives (sql/totals/draws.sql).
create or replace temp macro load_at(a, b, ln_gsd, draw, z) as
coalesce(ln_gsd * z[(a * draw + b) % getvariable('n') + 1], 0);

-- The least value that a factor can have. What is above it is lognormal, and the gsd is that of this part: no PUE is below 1.
create or replace temp macro lower_bound_of(factor) as
if(factor = 'pue', 1, 0);

-- How far the two ends of the 90 % interval of a PUE are from it, as logarithms. The interval of a product takes these distances
-- in squares, above and below apart (docs/method).
create or replace temp macro pue_ln_above(pue, ln_gsd) as
ln((1 + (pue - 1) * exp(z_90() * ln_gsd)) / pue);
create or replace temp macro pue_ln_below(pue, ln_gsd) as
ln(pue / (1 + (pue - 1) * exp(-z_90() * ln_gsd)));

-- The two distances as those of a lognormal distribution of the same width: for rankings and shares.
create or replace temp macro pue_like_ln_gsd(pue, ln_gsd) as
(pue_ln_above(pue, ln_gsd) + pue_ln_below(pue, ln_gsd)) / 2 / z_90();

-- The PUE of a run of which no operator that publishes is known, from the locations of training runs and all others.
create or replace temp macro unpublished_operator_pue(training_pue, publishing_fraction, other_pue) as
1 + exp(publishing_fraction * ln(training_pue - 1) + (1 - publishing_fraction) * ln(other_pue - 1));
create or replace temp macro unpublished_operator_words(training_pue, publishing_fraction, other_pue) as
round(training_pue, 3) || ' (locations of training runs, weight ' || round(100 * publishing_fraction) || ' %) and '
|| round(other_pue, 3) || ' (surveys and operators of other kinds), weighted by the logarithms of PUE - 1';

-- Whether a bound cuts so much off a distribution that it counts: parts of 1 in 1,000 and less do not.
create or replace temp macro is_cut_off(below_bound_fraction) as
below_bound_fraction < 0.999;

-- The interval score of a 90 % interval (Gneiting and Raftery 2007), of logarithms: less is better.
create or replace temp macro interval_score(p05, p95, truth) as
ln(p95 / p05) + 2 / 0.1 * greatest(ln(p05 / truth), 0) + 2 / 0.1 * greatest(ln(truth / p95), 0);

-- What widens a PUE of another year than the run's: PUE - 1 changes from year to year, and the variance grows with the years
-- between. Means over the locations of other runs have it in their fit.
create or replace temp macro pue_ln_variance(basis, years_apart, year_ln_gsd) as
if(
    basis in ('site_year', 'site_claimed', 'provider_year', 'organisation_provider_year', 'industry_year'),
    coalesce(years_apart * pow(year_ln_gsd, 2), 0),
    0
);

-- What widens the intensity of a basis, by core.gross_uncertainty: the spread of several locations, plants at the site, and a
-- start that is not stated. What a developer published for its run is not widened.
create or replace temp macro gross_ln_variance(basis, mix_ln_variance, start_ln_variance, onsite_ln_variance) as
if(basis in ('provider_locations', 'provider_regions'), mix_ln_variance, 0)
+ if(basis in ('disclosed', 'region_month', 'country_month'), 0, start_ln_variance)
+ if(basis in ('region_month', 'region_year', 'country_month', 'country_year'), onsite_ln_variance, 0);

-- How solid a number is: what its basis gives, or a guess where its 90 % interval spans more than a factor of 100.
create or replace temp macro solidity_of(basis_solidity, ln_width) as
if(ln_width > ln(100), 'guessed', basis_solidity);

-- A power measurement by its chip, system and workload.
create or replace temp macro power_id(hardware_id, system, workload) as
hardware_id || ', ' || system || ', ' || workload;

-- What of a lost speed is lost in power: least squares over pairs, through no loss at none; without a pair none is known.
create or replace temp macro loss_fraction_of(speed_loss, power_loss) as
coalesce(
    sum(speed_loss * power_loss order by speed_loss, power_loss) / nullif(sum(pow(speed_loss, 2) order by speed_loss), 0),
    0
);

-- What widens a net intensity beside the uncertainty of gross: that of the fit, in proportion to the share that the operator's
-- supply replaces; the printed digits; and a supply figure of another year, which after three years says no less than after more.
create or replace temp macro net_ln_variance(supplied_fraction, rounding_ln_gsd, apart_years, basis_gsd, year_gsd) as
pow(supplied_fraction * ln(basis_gsd), 2) + pow(rounding_ln_gsd, 2) + least(apart_years, 3) * pow(ln(year_gsd), 2);

-- What two printed digits of a CFE leave open of 1 - CFE: a uniform half digit, as the uncertainty of its logarithm. Nothing
-- where the operator adds nothing to its grid: net is gross there.
create or replace temp macro cfe_rounding_ln_gsd(operator_cfe_fraction, grid_cfe_fraction) as
case
    when operator_cfe_fraction is null then null
    when grid_residual(operator_cfe_fraction, grid_cfe_fraction) = 1 then 0
    else least(0.005, greatest(1 - operator_cfe_fraction, 0.0025)) / sqrt(3) / greatest(1 - operator_cfe_fraction, 0.0025)
end;

-- A value to three significant digits: more of an estimate says nothing, and fills files.
create or replace temp macro three_digits(value) as
case when value = 0 then 0 else round(value, 2 - floor(log10(abs(value)))::integer) end;

-- Text that a spreadsheet shows and does not execute: one leading apostrophe, to be taken away again.
create or replace temp macro spreadsheet_safe(cell) as
if(regexp_matches(cell, '^[=+@''\t\r-]'), '''' || cell, cell);
