"""Stores of this machine: a web server of a folder, as strict as those that people use, and an S3 store.

Belongs here: what a store does that a server of files at hand does not: it sends ranges, and takes a bare `+`
in an address for a space, as S3 does.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

import flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Store:
    """A folder that is served: its address, the paths that were asked for, and from which byte on."""

    folder: Path
    address: str
    asked: list[str] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)


@contextmanager
def store(folder: Path) -> Iterator[Store]:
    """Serve a folder until the block ends."""
    app = flask.Flask(__name__)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    served = Store(folder, f"http://127.0.0.1:{server.server_port}")

    @app.get("/<path:_>")
    def file(_: str) -> flask.Response:
        path = unquote_plus(flask.request.environ["RAW_URI"].split("?")[0].removeprefix("/"))
        served.asked.append(path)
        asked = flask.request.range
        served.begun.append(asked.ranges[0][0] or 0 if asked else 0)
        return flask.send_from_directory(folder, path, conditional=True)

    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def s3_store(bucket: str) -> Iterator[tuple[str, dict[str, str]]]:
    """An S3 store with an empty bucket, until the block ends: its address, and the environment to reach it.

    Anyone can read what is in it, and only who has the keys can write: as in a public bucket.
    """
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    address = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **credentials)
    client.create_bucket(Bucket=bucket)
    anyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [anyone | {"Resource": f"arn:aws:s3:::{bucket}/*"}]}
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        yield (
            address,
            {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
            },
        )
    finally:
        server.stop()
