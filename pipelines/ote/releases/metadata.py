"""What a release says of itself, in the forms that people and search engines read.

Belongs here: the text of each such file, from the catalog and the manifest alone. Does not belong here: the
tables, or writing a release (release.py).
"""

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from ote import catalog

HERE = "./"  # resolved by readers against the address that they got the file from
LICENSE_URL = "https://creativecommons.org/licenses/by/4.0/"
CITE = "If you use this dataset, please cite it, the method it follows, and the sources of the rows you use."
# Our types, as Data Package and Croissant name them.
TYPES = {
    "varchar": ("string", "sc:Text"),
    "double": ("number", "sc:Float"),
    "bigint": ("integer", "sc:Integer"),
    "boolean": ("boolean", "sc:Boolean"),
    "date": ("date", "sc:Date"),
    "timestamp": ("datetime", "sc:DateTime"),
}
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".gz": "application/gzip",  # of CSV
    ".parquet": "application/vnd.apache.parquet",
    ".duckdb": "application/vnd.duckdb",
}

# The vocabulary of Croissant 1.1, as its specification asks each file to carry it.
CROISSANT_TERMS = (
    "annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileObject "
    "fileProperty fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path readLines "
    "recordSet references regex repeated replace samplingRate sdVersion separator source subField transform "
    "unArchive value"
)
CROISSANT_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in CROISSANT_TERMS.split()},
}

# schema.org's vocabulary, and beside it that of data portals: DCAT and what DCAT-AP takes from others.
DCAT_CONTEXT: dict[str, Any] = {
    "@vocab": "https://schema.org/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "media": "https://www.iana.org/assignments/media-types/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:title": {"@language": "en"},
    "dct:description": {"@language": "en"},
    "dct:issued": {"@type": "xsd:date"},
    "dct:license": {"@type": "@id"},
    "dcat:keyword": {"@language": "en"},
    "dcat:accessURL": {"@type": "@id"},
    "dcat:downloadURL": {"@type": "@id"},
    "dcat:distribution": {"@type": "@id"},
    "dcat:byteSize": {"@type": "xsd:nonNegativeInteger"},
    "skos:prefLabel": {"@language": "en"},
    "skos:inScheme": {"@type": "@id"},
}
# Themes of the vocabulary that data portals in Europe share.
THEMES = {"ENER": "Energy", "ENVI": "Environment", "TECH": "Science and technology"}
THEME_URL = "http://publications.europa.eu/resource/authority/data-theme"

CARD = """\
---
{header}
---

# {title}, version {version}

{description}
{method}.

    energy_mwh   = chip_hours x watts_per_chip x pue / 1e6
    co2e_gross_t = energy_mwh x gross_kg_per_kwh     average of the grid where it ran
    co2e_net_t   = energy_mwh x net_kg_per_kwh       after the operator's carbon-free energy

Most rows are estimates, so read each with its 90 % interval (`_p05`, `_p95`) and its `_basis`
columns. A published total does not replace a computed one. Embodied emissions and water have
their own tables and are in no total. Sum only rows with `covers = 'one_run'`: others overlap.

- `parquet/`: every table; `csv/`: every table except {without_csv}
- `open-training-emissions.duckdb`: every table except {parquet_only}
- `croissant.json` describes the Parquet files, `datapackage.json` the CSV files
- `data_dictionary.md`: every column with unit and meaning; `manifest.json`: inputs and commit
- `CHANGES.md`: what changed since the last version, and why the version number changed
- `record.json`: what the next release is compared with
- `SHA256SUMS`: checksum of every file; `LICENSE`, `CITATION.cff`: how to use and cite it

| table | rows |
|---|---|
{rows}
"""


def files(manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]) -> dict[str, str]:
    """The text of each file by its name in the release.

    Args:
        manifest: of the release.
        sha256: checksum of each data file by its path in the release.
        size_bytes: its size.

    Raises:
        ValueError: the catalog names a public address that is none.
    """
    return {
        "datapackage.json": text_of(_datapackage(manifest, sha256, size_bytes)),
        "croissant.json": text_of(_croissant(manifest, sha256, size_bytes)),
        "dataset.jsonld": text_of(_jsonld(manifest, sha256, size_bytes)),
        "data_dictionary.md": _dictionary(),
        "README.md": _card(manifest),
        "LICENSE": _license(manifest),
        "CITATION.cff": citation(manifest["version"], _date(manifest), _folder(manifest)),
    }


def text_of(document: dict[str, Any]) -> str:
    """JSON in few bytes that is still compared by line: one for each member, and each object in a member."""
    members = ",\n".join(f"{_line(name)}: {_member(value)}" for name, value in document.items())
    return f"{{\n{members}\n}}\n"


def _member(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(map(_line, value)) + "\n]"
    if isinstance(value, dict) and value and isinstance(next(iter(value.values())), dict):
        return "{\n" + ",\n".join(f"{_line(name)}: {_line(entry)}" for name, entry in value.items()) + "\n}"
    return _line(value)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _folder(manifest: dict[str, Any]) -> str:
    """The address of the release; empty if there is no public address."""
    root = catalog.public_url()
    return f"{root}/{quote(manifest['version'])}/" if root else ""


def _core(version: str) -> str:
    """The version without what follows its three numbers in a release of 0.x."""
    return version.split("+")[0]


def _date(manifest: dict[str, Any]) -> str:
    """The day of the newest source file, so that equal inputs make equal releases."""
    return max(str(source["retrieved_at"])[:10] for source in manifest["source_files"])


def _upstreams(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The sources by others that went in."""
    return [source for source in manifest["sources"] if str(source["url"]).startswith("http")]


def citation(version: str, day: str, url: str) -> str:
    """CITATION.cff, of the repository or of a release.

    Args:
        version: of the dataset.
        day: of the newest source file, such as 2026-01-31.
        url: where it can be downloaded; empty if nowhere.
    """
    about = catalog.dataset()
    cited = {
        "cff-version": "1.2.0",
        "message": CITE,
        "title": about.title,
        "abstract": about.description,
        "type": "dataset",
        "version": version,
        "date-released": date.fromisoformat(day),
        "license": about.license,
        "url": url,
        "authors": [{"name": about.creator}],
        "keywords": about.keywords,
        "references": about.references,
    }
    known = {name: value for name, value in cited.items() if value}
    return yaml.dump(known, Dumper=_NoAliases, sort_keys=False, allow_unicode=True, width=200)


class _NoAliases(yaml.SafeDumper):
    """Writes a value that appears twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def deposit() -> dict[str, Any]:
    """.zenodo.json: what the archive Zenodo shall say of a release; it adds the day."""
    about, url = catalog.dataset(), catalog.public_url()
    related = [
        {"identifier": reference["url"], "relation": "cites", "resource_type": "publication-article"}
        for reference in about.references
    ]
    return {
        "title": about.title,
        "upload_type": "dataset",
        "version": about.version,
        "description": f"{about.description} {about.method}.",
        "creators": [{"name": about.creator}],
        "access_right": "open",
        "license": about.license.lower(),
        "keywords": about.keywords,
        "language": "eng",
        "related_identifiers": related
        + ([{"identifier": url, "relation": "isIdenticalTo", "resource_type": "dataset"}] if url else []),
    }


def _datapackage(
    manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]
) -> dict[str, Any]:
    """Data Package v2, https://datapackage.org: each CSV with its types, units, ranges and key."""
    about, url = catalog.dataset(), catalog.public_url()
    sources = [{"title": source["title"], "path": source["url"]} for source in _upstreams(manifest)]
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": about.name,
        "title": about.title,
        "description": about.description,
        "version": manifest["version"],
        **({"homepage": url} if url else {}),
        "keywords": about.keywords,
        "licenses": [{"name": about.license, "path": LICENSE_URL}],
        "contributors": [{"title": about.creator, "roles": ["creator"]}],
        **({"sources": sources} if sources else {}),
        "resources": [
            _resource(table, sha256, size_bytes) for table in catalog.public_tables() if table.csv_file
        ],
    }


def _resource(table: catalog.Table, sha256: dict[str, str], size_bytes: dict[str, int]) -> dict[str, Any]:
    """The CSV of a table in a Data Package."""
    name = table.csv_file
    return {
        "name": table.stem,
        "type": "table",
        "path": name,
        "description": table.description,
        "format": "csv",
        "encoding": "utf-8",
        **({"compression": "gz"} if name.endswith(".gz") else {}),
        "mediatype": "text/csv",
        "bytes": size_bytes[name],
        "hash": f"sha256:{sha256[name]}",
        "schema": {
            "fields": [_field(column, table) for column in table.columns],
            "primaryKey": list(table.key),
            "missingValues": [""],
        },
    }


def _field(column: catalog.Column, table: catalog.Table) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if column.required and column.name not in table.key:
        constraints["required"] = True
    if column.min is not None:
        constraints["minimum"] = int(column.min) if column.type == "bigint" else column.min
    if column.max is not None:
        constraints["maximum"] = int(column.max) if column.type == "bigint" else column.max
    if column.values:
        constraints["enum"] = list(column.values)
    field = {"name": column.name, "type": TYPES[column.type][0], "description": column.description}
    if column.type == "timestamp":
        field["format"] = "%Y-%m-%d %H:%M:%S"
    if column.unit:
        field["unit"] = column.unit
    return field | ({"constraints": constraints} if constraints else {})


def _schema_org(manifest: dict[str, Any]) -> dict[str, Any]:
    """What Croissant and search engines say in the words of schema.org."""
    about = catalog.dataset()
    return {
        "description": about.description,
        "datePublished": _date(manifest),
        "license": LICENSE_URL,
        "url": _folder(manifest) or HERE,
        "keywords": about.keywords,
        "isAccessibleForFree": True,
        "creator": {"@type": "Organization", "name": about.creator},
    }


def _croissant(
    manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]
) -> dict[str, Any]:
    """MLCommons Croissant 1.1: a file and a set of records for each table."""
    about = catalog.dataset()
    return {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": about.name,
        "version": _core(manifest["version"]),
        **_schema_org(manifest),
        "citeAs": f"{about.creator}: {about.title}, version {manifest['version']}. {about.method}.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": f"{table.stem}.parquet",
                "name": f"{table.stem}.parquet",
                "contentUrl": f"{_folder(manifest)}{name}",
                "contentSize": f"{size_bytes[name]} B",
                "encodingFormat": "application/x-parquet",
                "sha256": sha256[name],
            }
            for table in catalog.public_tables()
            for name in [table.parquet_file]
        ],
        "recordSet": [_record_set(table) for table in catalog.public_tables()],
    }


def _record_set(table: catalog.Table) -> dict[str, Any]:
    """A table in Croissant, read from its Parquet."""
    return {
        "@type": "cr:RecordSet",
        "@id": table.stem,
        "name": table.stem,
        "description": table.description,
        "key": [{"@id": f"{table.stem}/{column}"} for column in table.key],
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{table.stem}/{column.name}",
                "name": column.name,
                "description": column.comment,
                "dataType": TYPES[column.type][1],
                "source": {
                    "fileObject": {"@id": f"{table.stem}.parquet"},
                    "extract": {"column": column.name},
                },
            }
            for column in table.columns
        ],
    }


def _jsonld(manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]) -> dict[str, Any]:
    """The dataset as schema.org, which search engines for data read, and as DCAT-AP 3, for data portals."""
    about = catalog.dataset()
    downloads = [
        _download(name, _folder(manifest), sha256[name], size_bytes[name])
        for name in sorted(sha256)
        if Path(name).suffix in MEDIA_TYPES and name != "data_dictionary.csv"
    ]
    return {
        "@context": DCAT_CONTEXT,
        "@type": ["Dataset", "dcat:Dataset"],
        "@id": _folder(manifest) or HERE,
        "name": about.title,
        "version": manifest["version"],
        **_schema_org(manifest),
        **_dcat(manifest),
        "measurementTechnique": about.method,
        "isBasedOn": [
            {"@type": "CreativeWork", "name": source["title"], "url": source["url"]}
            for source in _upstreams(manifest)
        ],
        "variableMeasured": [
            {
                "@type": "PropertyValue",
                "name": column.name,
                "description": column.description,
                "unitText": column.unit,
            }
            for table in catalog.public_tables()
            if table.stem == "emissions"
            for column in table.columns
            if column.unit
        ],
        "distribution": downloads,
        "dcat:distribution": [download["@id"] for download in downloads],
    }


def _dcat(manifest: dict[str, Any]) -> dict[str, Any]:
    """What DCAT-AP asks of a dataset, besides its distributions."""
    about, url = catalog.dataset(), catalog.public_url()
    project = {"@id": "#project", "@type": "foaf:Agent", "foaf:name": about.creator}
    page = {"@id": f"{url}/site/index.html", "@type": "foaf:Document"}
    return {
        "dct:title": about.title,
        "dct:description": about.description,
        "dct:identifier": about.name,
        "dct:issued": _date(manifest),
        "dct:publisher": project,
        "dct:creator": {"@id": "#project"},
        "dct:license": {"@id": LICENSE_URL, "@type": "dct:LicenseDocument"},
        "dcat:version": manifest["version"],
        "dcat:keyword": about.keywords,
        "dcat:theme": [
            {
                "@id": f"{THEME_URL}/{theme}",
                "@type": "skos:Concept",
                "skos:prefLabel": label,
                "skos:inScheme": THEME_URL,
            }
            for theme, label in THEMES.items()
        ],
        **({"dcat:landingPage": page} if url else {}),
    }


def _download(name: str, folder: str, sha256: str, size_bytes: int) -> dict[str, Any]:
    """A file of the release, as schema.org and as DCAT name it."""
    media_type = MEDIA_TYPES[Path(name).suffix]
    about = {
        "@type": ["DataDownload", "dcat:Distribution"],
        "@id": f"#{name}",
        "contentUrl": f"{folder}{name}",
        "encodingFormat": media_type,
        "dcat:accessURL": f"{folder}{name}",
        "dcat:downloadURL": f"{folder}{name}",
        "dcat:mediaType": {"@id": f"media:{media_type}", "@type": "dct:MediaType"},
        "dct:license": LICENSE_URL,
    }
    if name.endswith(".duckdb"):  # its bytes differ from build to build: SHA256SUMS has its checksum
        return about
    return about | {"sha256": sha256, "dcat:byteSize": str(size_bytes)}


def _dictionary() -> str:
    """The data dictionary as a page: a table for each table."""
    lines = [
        "# Data dictionary",
        "",
        "Each column of each table; `*` marks the key. The same in data_dictionary.csv.",
        "",
    ]
    for table in catalog.public_tables():
        lines += [f"## {table.stem}", "", table.description.strip(), ""]
        lines += ["| column | type | unit | meaning |", "|---|---|---|---|"]
        lines += [
            f"| {column.name}{' *' if column.name in table.key else ''} | {column.type} | {column.unit} "
            f"| {column.description.replace('|', '/')} |"
            for column in table.columns
        ]
        lines.append("")
    return "\n".join([*lines, *_meanings()])


def _meanings() -> list[str]:
    """What each word that a column may hold means, and each word of our texts: a line for each."""
    columns = {column.name: column for table in catalog.public_tables() for column in table.columns}
    lines = ["## Values", "", "| column | value | meaning |", "|---|---|---|"]
    for name in sorted(columns):
        lines += [f"| {name} | {value} | {word.means} |" for value, word in columns[name].values.items()]
    lines += ["", "## Words", "", "| word | meaning |", "|---|---|"]
    return [*lines, *(f"| {name} | {word.means} |" for name, word in catalog.words().items()), ""]


def _card(manifest: dict[str, Any]) -> str:
    """The dataset card: a header that a hub reads, and what a reader must know first."""
    about = catalog.dataset()
    header = {
        "license": about.license.lower(),
        "pretty_name": about.title,
        "language": ["en"],
        "tags": [keyword.replace(" ", "-") for keyword in about.keywords],
        "size_categories": ["n<1K" if manifest["tables"]["emissions"] < 1000 else "1K<n<10K"],
        "configs": [
            {
                "config_name": table.stem,
                "data_files": f"parquet/{table.stem}.parquet",
                **({"default": True} if table.stem == "emissions" else {}),
            }
            for table in catalog.public_tables()
        ],
    }
    without_csv = [f"`{table.stem}`" for table in catalog.public_tables() if not table.csv_file]
    parquet_only = [f"`{table.stem}`" for table in catalog.public_tables() if table.parquet_only]
    return CARD.format(
        without_csv=" and ".join(without_csv),
        parquet_only=" and ".join(parquet_only),
        header=yaml.safe_dump(header, sort_keys=False, allow_unicode=True).rstrip(),
        version=manifest["version"],
        rows="\n".join(f"| {table} | {count:,} |" for table, count in manifest["tables"].items()),
        **{name: getattr(about, name) for name in ("title", "description", "method")},
    )


def _license(manifest: dict[str, Any]) -> str:
    """The licence of the whole, and of each source that rows come from."""
    about = catalog.dataset()
    lines = [
        f"{about.title}, version {manifest['version']}, is licensed under {about.license}:",
        f"{LICENSE_URL}legalcode",
        "",
        "Give credit as CITATION.cff says. Facts come from the publications that the table sources lists"
        + (", and from these sources, under their own terms:" if _upstreams(manifest) else "."),
        "",
    ]
    lines += sorted(
        f"- {source['title']} ({source['url']}): {source['license'] or 'licence not stated'}"
        for source in _upstreams(manifest)
    )
    return "\n".join(lines) + "\n"
