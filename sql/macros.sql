-- Names that several queries share. Loaded into every connection of the working database.
-- A source is known by its address: scheme and www dropped, the rest as a slug.
create or replace temp macro source_id(url) as
trim(lower(regexp_replace(regexp_replace(url, '^https?://(www\.)?', ''), '[^A-Za-z0-9]+', '-', 'g')), '-');

-- Spellings of one accelerator differ in case, spaces and punctuation only.
create or replace temp macro spelling_key(spelling) as
lower(regexp_replace(spelling, '[^A-Za-z0-9]+', '', 'g'));

-- Geometric spread around 1 of a list of log errors.
create or replace temp macro gsd_of(log_errors) as
exp(sqrt(avg(log_errors * log_errors)));

-- The weakest verification among the rows that a value rests on.
create or replace temp macro least_verified(verified) as
case
    when bool_or(verified = 'recalled') then 'recalled'
    when bool_or(verified = 'secondary') then 'secondary'
    when bool_or(verified = 'epoch') then 'epoch'
    else 'primary'
end;

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

-- The first address in a cell that may hold several, one a line.
create or replace temp macro first_url(cell) as
nullif(regexp_extract(cell, 'https?://[^\s,]+'), '');

-- The names in a cell that holds several, separated by commas.
create or replace temp macro words_of(cell) as
list_transform(string_split(cell, ','), lambda word: trim(word));

-- Text that a spreadsheet shows and does not execute: one leading apostrophe, to be taken away again.
create or replace temp macro spreadsheet_safe(cell) as
if(regexp_matches(cell, '^[=+@''\t\r-]'), '''' || cell, cell);
