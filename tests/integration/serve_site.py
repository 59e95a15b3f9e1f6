# SPDX-License-Identifier: Apache-2.0
"""A site that serves its console: starts the server, makes tokens, asks over HTTP, reads Server-Sent Events."""
import http.client
import json
import os
import signal
import socket
import urllib.parse

from harness import SealedSite


class Stream:
    """One SSE connection, read message by message; bytes of a message that is not whole stay out."""

    def __init__(self, port, path, headers, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.rest = b""
        self.ended = False

    def message(self):
        """{field: value} of the next message, or None at the end of the stream."""
        while True:
            whole, found, rest = self.rest.partition(b"\n\n")
            if found:
                self.rest = rest
                fields = {}
                for line in whole.decode().split("\n"):
                    name, _, value = line.partition(":")
                    fields[name] = value[1:] if value.startswith(" ") else value
                if "data" in fields:
                    return fields
                continue
            try:
                more = self.response.read1(65536)
            except (http.client.IncompleteRead, ConnectionError, socket.timeout):
                more = b""
            if not more:
                self.ended = True
                return None
            self.rest += more

    def until(self, stop, limit=100000):
        """Messages up to the first for which `stop` holds, or to the end."""
        found = []
        while len(found) < limit:
            message = self.message()
            if message is None:
                break
            found.append(message)
            if stop(message):
                break
        return found

    def close(self):
        self.connection.close()


def is_end(message):
    return message.get("event") in ("end", "restart", "trouble")


class ServeSite(SealedSite):
    def setUp(self):
        super().setUp()
        self.apply()
        self.server = None
        self.port = None

    def serve(self, port=0, **kwargs):
        """Starts the server and waits until it listens."""
        self.server = self.start("--output", "ndjson", "serve", "--listen", f"127.0.0.1:{port}", **kwargs)
        line = self.server.stdout.readline().decode()
        self.assertTrue(line, self.server.poll())
        self.port = int(json.loads(line)["address"].rsplit(":", 1)[1])
        return self.port

    def stop(self, how=signal.SIGTERM):
        self.server.send_signal(how)
        return self.server.wait(timeout=30)

    def token(self, scopes="packs.read", tenant="plant-7", *more):
        return self.stella("--output", "json", "token", "new", "--tenant", tenant, "--scopes", scopes, *more).json

    def bearer(self, *args):
        return {"Authorization": "Bearer " + self.token(*args)["token"]}

    def ask(self, path, headers=None, method="GET", body=None, port=None, host=None):
        """(status, headers, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        connection.putrequest(method, path, skip_host=host is not None, skip_accept_encoding=True)
        if host is not None:
            connection.putheader("Host", host)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        found = (response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        connection.close()
        return found

    def api(self, path, headers, expect=200, **kwargs):
        status, _, body = self.ask(path, headers, **kwargs)
        self.assertEqual(status, expect, body[:2000])
        return json.loads(body) if body else None

    def raw(self, text, seconds=20):
        """What the server says to these bytes, until it closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(text)
            found = b""
            try:
                while True:
                    more = connection.recv(65536)
                    if not more:
                        return found
                    found += more
            except (socket.timeout, ConnectionError):
                return found

    def stream(self, path, headers, **kwargs):
        stream = Stream(self.port, path, headers, **kwargs)
        self.addCleanup(stream.close)
        return stream

    def run_job(self, steps, name="job", *args, expect=0):
        bundle = self.pack(name, steps)
        return self.stella("--output", "json", "pack", "run", "--bundle", bundle, *args, expect=expect).json["runId"]

    def resident(self):
        """Kilobytes that the server holds."""
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.server.pid}/task"))


def quote(run):
    return urllib.parse.quote(run, safe="")
