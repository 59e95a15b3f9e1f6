#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What raw sockets can try on `stella serve`: smuggled requests, two lengths, floods of headers and of requests."""
import json
import os
import re
import socket

from harness import main
from mirror_site import MirrorSite
from serve_site import ServeSite


class Hostile(ServeSite):
    def setUp(self):
        super().setUp()
        self.serve()
        self.host = f"Host: 127.0.0.1:{self.port}\r\n"

    def raw(self, text, seconds=20):
        """All that comes back until the server closes; a server that neither answers nor closes fails the test."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as line:
            answer = b""
            try:
                line.sendall(text if isinstance(text, bytes) else text.encode("latin1"))
            except OSError:
                pass  # it refused before it had read all
            try:
                while piece := line.recv(65536):
                    answer += piece
            except ConnectionError:
                pass
        return answer

    def statuses(self, answer):
        return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d+) ", answer, re.MULTILINE)]

    def post(self, heads, body):
        return f"POST /console/login HTTP/1.1\r\n{self.host}{heads}\r\n{body}"

    def next_request(self):
        return f"GET /readyz HTTP/1.1\r\n{self.host}Connection: close\r\n\r\n"

    def assert_unmoved(self):
        self.assertEqual(self.statuses(self.raw(f"GET /healthz HTTP/1.1\r\n{self.host}Connection: close\r\n\r\n")), [200])
        self.assertIsNone(self.server.poll())

    def test_two_lengths_and_unknown_encodings_are_refused_and_nothing_is_smuggled(self):
        inner = self.next_request()
        for heads in ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                      "Transfer-Encoding: identity\r\nContent-Length: 0\r\n", "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
                      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 0\r\nContent-Length: 9\r\n"):
            for body in ("", "0\r\n\r\n"):
                with self.subTest(heads=heads, body=body):
                    answer = self.raw(self.post(heads, body + inner))
                    self.assertEqual(self.statuses(answer), [400])
                    self.assertNotIn(b"ready", answer)
        self.assert_unmoved()

    def test_what_follows_a_refused_head_is_no_request(self):
        inner = self.next_request()
        for request in (f"GET /healthz HTTP/1.1\r\n{self.host}Content-Length: {len(inner)}\r\n\r\n{inner}", self.post(f"Content-Length: {1 << 30}\r\n", inner),
                        f"POST /nothing HTTP/1.1\r\n{self.host}Content-Length: 3\r\n\r\nabc{inner}"):
            answer = self.raw(request)
            self.assertEqual(len(self.statuses(answer)), 1, answer)
            self.assertNotIn(b"200 OK", answer)
        self.assert_unmoved()

    def test_lengths_that_are_no_lengths(self):
        for length in ("+5", "-5", "0x5", "5, 5", "5 5", "9" * 30):
            answer = self.raw(self.post(f"Content-Length: {length}\r\n", "hello"))
            self.assertTrue(answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 ")), (length, answer))
        for size in ("F" * 17, "-1", "zz"):
            answer = self.raw(self.post("Transfer-Encoding: chunked\r\n", size + "\r\nhello\r\n"))
            self.assertFalse(answer.startswith(b"HTTP/1.1 2"), (size, answer))
        self.assert_unmoved()

    def test_credentials_in_trailers_do_not_count(self):
        token = self.token()["token"]
        answer = self.raw(f"POST /console/logout HTTP/1.1\r\n{self.host}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer {token}\r\n\r\n")
        self.assertEqual(self.statuses(answer), [401])

    def test_thousands_of_requests_in_one_write_are_all_answered(self):
        many = f"GET /healthz HTTP/1.1\r\n{self.host}\r\n" * 2000 + self.next_request()
        self.assertEqual(self.statuses(self.raw(many, 60)), [200] * 2001)

    def test_headers_and_methods_beyond_all_measure(self):
        for heads in ("X: " + "a" * 1000000 + "\r\n", "".join(f"X{number}: y\r\n" for number in range(10000))):
            self.assertIn(self.statuses(self.raw(f"GET /healthz HTTP/1.1\r\n{self.host}{heads}\r\n"))[0], (400, 431))
        self.assertEqual(self.statuses(self.raw(f"{'A' * 20000} / HTTP/1.1\r\n{self.host}Connection: close\r\n\r\n"))[0] // 100, 4)
        self.assert_unmoved()


class FromAfar(ServeSite):
    """Whoever asks over HTTP has no files here: an input of type `file` would be read with the server's rights."""
    def setUp(self):
        super().setUp()
        inputs = [{"name": "what", "type": "file", "required": True}]
        self.bundle = self.pack("leak", [{"id": "a", "run": {"script": "cat /inputs/what"}}], inputs=inputs)

    def test_a_verb_from_afar_opens_no_file_and_does_not_tell_whether_it_is_there(self):
        told = set()
        for path in (os.path.join(self.home, "site", "identity.key"), "/etc/passwd", "/no/such/file", "operator:/etc/passwd", "../etc/passwd"):
            error = self.refused("ERR_PACK_INPUTS", "pack", "run", "--no-files", "--bundle", self.bundle, "--inputs", "-", input=json.dumps({"what": path}), reason="file")
            told.add(error["message"])
        self.assertEqual(len(told), 1, told)
        self.stella("pack", "run", "--bundle", self.bundle, "--inputs", "-", input=json.dumps({"what": "/etc/passwd"}))


class FileOverHttp(ServeSite, MirrorSite):
    def setUp(self):
        MirrorSite.setUp(self)
        self.serve()
        inputs = [{"name": "what", "type": "file", "required": True}]
        self.add(self.pack("leak", [{"id": "a", "run": {"script": "cat /inputs/what"}}], inputs=inputs))
        self.pull(self.publish())

    def test_a_run_over_http_cannot_name_a_file_of_the_servers(self):
        token, told = self.bearer("packs.read,packs.run"), set()
        for path in (os.path.join(self.home, "site", "identity.key"), "/no/such/file"):
            body = json.dumps({"pack": "leak:1.0.0", "inputs": {"what": path}}).encode()
            error = self.api("/api/runs", token, expect=400, method="POST", body=body)["error"]
            self.assertEqual((error["code"], error["reason"]), ("ERR_PACK_INPUTS", "file"))
            told.add(error["message"])
        self.assertEqual(len(told), 1, told)
        self.assertEqual(self.api("/api/runs", token)["runs"], [])


if __name__ == "__main__":
    main()
