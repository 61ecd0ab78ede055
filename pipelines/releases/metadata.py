"""What a release says of itself, in the forms that people and search engines read.

Belongs here: the text of each such file, from the catalog and the manifest alone. Does not belong here: the
tables, or writing a release (release.py).
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from pipelines import catalog

HERE = "./"  # resolved by readers against the address that they got the file from
LICENSE_URL = "https://creativecommons.org/licenses/by/4.0/"
KEYWORDS = ["machine learning", "training", "energy", "carbon footprint", "CO2e", "PUE", "carbon intensity"]
FRICTIONLESS_TYPES = {
    "varchar": "string",
    "double": "number",
    "bigint": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "datetime",
}
CROISSANT_TYPES = {
    "varchar": "sc:Text",
    "double": "sc:Float",
    "bigint": "sc:Integer",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "timestamp": "sc:DateTime",
}

# The vocabulary of Croissant 1.0, as its specification asks each file to carry it.
CROISSANT_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def files(manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]) -> dict[str, str]:
    """The text of each file by its name in the release.

    Args:
        manifest: of the release.
        sha256: checksum of each data file by its path in the release.
        size_bytes: its size.
    """
    return {
        "datapackage.json": _json(_datapackage(manifest, sha256, size_bytes)),
        "croissant.json": _json(_croissant(manifest, sha256, size_bytes)),
        "dataset.jsonld": _json(_jsonld(manifest, sha256, size_bytes)),
        "data_dictionary.md": _dictionary(),
        "README.md": _card(manifest),
        "LICENSE": _license(manifest),
        "CITATION.cff": _citation(manifest),
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _dataset() -> dict[str, Any]:
    dataset: dict[str, Any] = catalog.document()["dataset"]
    return dataset


def _address(manifest: dict[str, Any]) -> str:
    """Where the release can be downloaded; without a public address, the folder that holds the file."""
    root = _dataset()["public_url"].rstrip("/")
    return f"{root}/{quote(manifest['version'])}/" if root else HERE


def _core(version: str) -> str:
    """The version without the checksum of its content, as forms with strict SemVer want it."""
    return version.split("+")[0]


def _date(manifest: dict[str, Any]) -> str:
    """The day of the newest source file, so that equal inputs make equal releases; else of the citation."""
    days = [str(file["retrieved_at"])[:10] for file in manifest["source_files"] if file["retrieved_at"]]
    return max(days, default=str(_cited()["date-released"]))


def _upstreams(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The sources by others that went in."""
    return [source for source in manifest["sources"] if str(source["url"]).startswith("http")]


def _cited() -> dict[str, Any]:
    cited: dict[str, Any] = yaml.safe_load((catalog.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return cited


def _datapackage(
    manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]
) -> dict[str, Any]:
    """Data Package v2, https://datapackage.org: each CSV with its types, units, ranges and key."""
    dataset = _dataset()
    sources = [{"title": source["title"], "path": source["url"]} for source in _upstreams(manifest)]
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": dataset["name"],
        "title": dataset["title"],
        "description": dataset["description"],
        "version": manifest["version"],
        **({"homepage": _dataset()["public_url"]} if _dataset()["public_url"] else {}),
        "keywords": KEYWORDS,
        "licenses": [{"name": dataset["license"], "path": LICENSE_URL}],
        **({"sources": sources} if sources else {}),
        "resources": [
            {
                "name": table.stem,
                "type": "table",
                "path": table.csv_file,
                "description": table.description,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": size_bytes[table.csv_file],
                "hash": f"sha256:{sha256[table.csv_file]}",
                "schema": {
                    "fields": [_field(column, table) for column in table.columns],
                    "primaryKey": list(table.key),
                    "missingValues": [""],
                },
            }
            for table in catalog.public_tables()
        ],
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
    field = {"name": column.name, "type": FRICTIONLESS_TYPES[column.type], "description": column.description}
    if column.type == "timestamp":
        field["format"] = "%Y-%m-%d %H:%M:%S"
    if column.unit:
        field["unit"] = column.unit
    return field | ({"constraints": constraints} if constraints else {})


def _croissant(
    manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]
) -> dict[str, Any]:
    """MLCommons Croissant 1.0: a file and a set of records for each table."""
    dataset = _dataset()
    return {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": dataset["name"],
        "description": dataset["description"],
        "version": _core(manifest["version"]),
        "datePublished": _date(manifest),
        "license": LICENSE_URL,
        "url": _address(manifest),
        "citeAs": f"{dataset['title']}, version {manifest['version']}. {dataset['method']}.",
        "creator": {"@type": "Organization", "name": _cited()["authors"][0]["name"]},
        "keywords": KEYWORDS,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": table.csv_file,
                "name": table.csv_file,
                "contentUrl": table.csv_file,
                "contentSize": f"{size_bytes[table.csv_file]} B",
                "encodingFormat": "text/csv",
                "sha256": sha256[table.csv_file],
            }
            for table in catalog.public_tables()
        ],
        "recordSet": [
            {
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
                        "dataType": CROISSANT_TYPES[column.type],
                        "source": {
                            "fileObject": {"@id": table.csv_file},
                            "extract": {"column": column.name},
                        },
                    }
                    for column in table.columns
                ],
            }
            for table in catalog.public_tables()
        ],
    }


def _jsonld(manifest: dict[str, Any], sha256: dict[str, str], size_bytes: dict[str, int]) -> dict[str, Any]:
    """schema.org Dataset, as search engines for data read it; its distributions are DCAT's too."""
    dataset = _dataset()
    formats = {
        ".csv": "text/csv",
        ".gz": "application/gzip",  # of CSV
        ".parquet": "application/vnd.apache.parquet",
        ".duckdb": "application/vnd.duckdb",
    }
    return {
        "@context": {"@vocab": "https://schema.org/", "dcat": "http://www.w3.org/ns/dcat#"},
        "@type": ["Dataset", "dcat:Dataset"],
        "name": dataset["title"],
        "description": dataset["description"],
        "version": manifest["version"],
        "datePublished": _date(manifest),
        "license": LICENSE_URL,
        "url": _address(manifest),
        "keywords": KEYWORDS,
        "isAccessibleForFree": True,
        "creator": {"@type": "Organization", "name": _cited()["authors"][0]["name"]},
        "measurementTechnique": dataset["method"],
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
        "distribution": [
            {
                "@type": ["DataDownload", "dcat:Distribution"],
                "name": name,
                "contentUrl": name,
                "encodingFormat": formats[Path(name).suffix],
                # The bytes of a DuckDB file differ from build to build: SHA256SUMS has its checksum.
                **({} if name.endswith(".duckdb") else {"sha256": sha256[name]}),
            }
            for name in sorted(sha256)
            if Path(name).suffix in formats and name != "data_dictionary.csv"
        ],
    }


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
    dataset = _dataset()
    header = {
        "license": dataset["license"].lower(),
        "pretty_name": dataset["title"],
        "language": ["en"],
        "tags": [keyword.replace(" ", "-") for keyword in KEYWORDS],
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
    rows = [f"| {table} | {count:,} |" for table, count in manifest["tables"].items()]
    return "\n".join(
        [
            "---",
            yaml.safe_dump(header, sort_keys=False, allow_unicode=True).rstrip(),
            "---",
            "",
            f"# {dataset['title']}, version {manifest['version']}",
            "",
            dataset["description"],
            f"{dataset['method']}.",
            "",
            "    energy_mwh   = chip_hours x watts_per_chip x pue / 1e6",
            "    co2e_gross_t = energy_mwh x gross_kg_per_kwh     average of the grid where it ran",
            "    co2e_net_t   = energy_mwh x net_kg_per_kwh       after the operator's carbon-free energy",
            "",
            "Most rows are estimates, so read each with its 90 % interval (`_p05`, `_p95`) and its `_basis`",
            "columns. A published total does not replace a computed one. Embodied emissions and water have",
            "their own tables and are in no total. Sum only rows with `covers = 'one_run'`: others overlap.",
            "",
            "- `open-training-emissions.duckdb`, `parquet/`, `csv/`: the same tables in three forms",
            "- `data_dictionary.md`: every column with unit and meaning; `manifest.json`: inputs and commit",
            "- `CHANGES.md`: what changed since the last version, and why the version number changed",
            "- `record.json`: what the next release is compared with",
            "- `SHA256SUMS`: checksum of every file; `LICENSE`, `CITATION.cff`: how to use and cite it",
            "",
            "| table | rows |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def _license(manifest: dict[str, Any]) -> str:
    """The licence of the whole, and of each source that rows come from."""
    dataset = _dataset()
    lines = [
        f"{dataset['title']}, version {manifest['version']}, is licensed under {dataset['license']}:",
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


def _citation(manifest: dict[str, Any]) -> str:
    cited = _cited() | {"version": manifest["version"], "date-released": _date(manifest)}
    if (address := _address(manifest)) != HERE:
        cited["url"] = address
    return yaml.safe_dump(cited, sort_keys=False, allow_unicode=True)
