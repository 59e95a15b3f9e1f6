# SPDX-License-Identifier: Apache-2.0
"""Who gets in: tokens, tenants, sessions, the socket's peer, Host and Origin; and what hostile clients get."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time

from harness import main
from serve_site import ServeSite, is_end, quote


class Tokens(ServeSite):
    def test_a_token_is_shown_once_and_ends_at_once(self):
        made = self.token("packs.read,Packs.Approve")
        self.assertEqual(made["scopes"], ["packs.read", "packs.approve"])
        listed = self.stella("token", "list").out
        self.assertIn(made["id"], listed)
        for root, _, files in os.walk(self.home):
            for name in files:
                self.assertNotIn(made["token"].encode(), self.read(os.path.join(root, name)), name)
        self.serve()
        good = {"Authorization": "Bearer " + made["token"]}
        self.api("/api/runs", good)
        self.stella("token", "revoke", made["id"])
        refused = self.api("/api/runs", good, expect=401)
        self.assertEqual((refused["error"]["code"], refused["error"]["reason"]), ("ERR_ACCESS_DENIED", "token"))
        self.assertIn("revoked", refused["error"]["message"])
        self.refused("ERR_FILE_NOT_FOUND", "token", "revoke", "000000000000", reason="token")
        self.refused("ERR_USAGE", "token", "new", "--tenant", "plant-7", "--scopes", "packs.write", reason="scopes")
        self.refused("ERR_USAGE", "token", "new", "--tenant", "plant-8", reason="tenant")
        for none in ("0s", "0d"):
            self.refused("ERR_USAGE", "token", "new", "--tenant", "plant-7", "--expires", none, reason="expires")

    def test_an_expired_token_is_refused(self):
        self.serve()
        brief = self.bearer("packs.read", "plant-7", "--expires", "1s")
        self.wait_for(lambda: self.ask("/api/runs", brief)[0] == 401)

    def test_a_scope_is_needed_for_each_thing(self):
        self.serve()
        run = self.run_job([{"id": "a", "run": {"command": ["true"]}}])
        reader, runner = self.bearer("packs.read"), self.bearer("packs.run")
        self.api(f"/api/runs/{run}", reader)
        self.assertEqual(self.api(f"/api/runs/{run}", runner, expect=403)["error"]["reason"], "scope")
        self.api("/api/runs", {}, expect=401)


    def test_people_are_told_on_a_page_what_they_may_not_see_or_do(self):
        self.serve()
        run = self.run_job([{"id": "a", "run": {"command": ["true"]}}])
        page, reader, runner = f"/console/packs/runs/{quote(run)}", self.bearer("packs.read"), self.bearer("packs.run")
        os.remove(os.path.join(self.home, "runs", run.replace(":", "_"), "plan.json"))
        for place, who, method, expect, code in (
                ("/console/packs/runs?tenant=other", reader, "GET", 403, "ERR_ACCESS_DENIED"), ("/console/packs/runs", runner, "GET", 403, "ERR_ACCESS_DENIED"),
                (f"{page}/request", reader, "POST", 403, "ERR_ACCESS_DENIED"), (f"{page}/cancel", reader, "POST", 403, "ERR_ACCESS_DENIED"),
                ("/console/packs/runs/nope", reader, "GET", 404, "ERR_RUN_NOT_FOUND"), (page, reader, "GET", 404, "ERR_FILE_NOT_FOUND")):
            with self.subTest(place=place, method=method):
                status, headers, body = self.ask(place, who, method=method, body=b"" if method == "POST" else None)
                self.assertEqual((status, headers["content-type"]), (expect, "text/html; charset=utf-8"), body)
                self.assertIn(code, body.decode())


class Tenants(ServeSite):
    def test_another_tenants_run_is_not_there(self):
        document = self.policy(version=2)
        other = dict(document["tenants"][0], name="plant-8", approvers=[self.approver("Cy Day", "cy")])
        document["tenants"].append(other)
        self.apply(document)
        bundle = self.pack("job", [{"id": "a", "run": {"command": ["echo", "secret of plant-8"]}}])
        theirs = self.stella("--output", "json", "--tenant", "plant-8", "pack", "run", "--bundle", bundle).json["runId"]
        self.serve()
        mine = self.bearer("packs.read,packs.run,packs.approve")
        self.assertEqual(self.api("/api/runs", mine)["runs"], [])
        self.api("/api/runs?tenant=plant-8", mine, expect=403)
        absent = theirs[:-4] + "000Z"
        for place in ("", "/events", "/log?step=a", "/log/search?step=a&q=x", "/log/raw?step=a", "/log/pieces", "/artifacts",
                      "/evidence", "/plan", "/plan/diff", "/request?gate=x"):
            answers = [self.ask(f"/api/runs/{quote(run)}{place}", mine) for run in (theirs, absent)]
            self.assertEqual([status for status, _, _ in answers], [404, 404], place)
            self.assertEqual(answers[0][2].replace(theirs.encode(), b""), answers[1][2].replace(absent.encode(), b""), place)
        for place in ("events", "logs"):
            self.api(f"/task-runner/runs/{quote(theirs)}/{place}", mine, expect=404)
        for verb in ("cancel", "resume", "approve"):
            self.api(f"/api/runs/{quote(theirs)}/{verb}", mine, expect=404, method="POST", body=b"{}")
        self.assertEqual(len(self.api("/api/runs", self.bearer("packs.read", "plant-8"))["runs"]), 1)


class Ends(ServeSite):
    """What was open when the right to read ended."""

    def setUp(self):
        super().setUp()
        self.serve()
        bundle = self.pack("job", [{"id": "talk", "run": {"script": "echo begun; sleep 300"}}])
        self.job = self.stella("--output", "json", "pack", "run", "--detach", "--bundle", bundle).json["runId"]
        self.place = f"/task-runner/runs/{quote(self.job)}"

    def tearDown(self):
        self.stella("pack", "runs", "cancel", "--run", self.job, "--grace", "0s", expect=None)
        super().tearDown()

    def curl(self, token, kind):
        with open(self.path(kind), "wb") as output:
            process = subprocess.Popen(["curl", "-sN", "-H", "Authorization: Bearer " + token, f"http://127.0.0.1:{self.port}{self.place}/{kind}"], stdout=output)
        self.addCleanup(process.kill)
        self.wait_for(lambda: b"data: {" in self.read(self.path(kind)))
        return process

    def test_streams_end_when_their_token_is_revoked(self):
        made, other = self.token(), self.token()
        reading = {kind: self.curl(made["token"], kind) for kind in ("events", "logs")}
        stays = self.stream(self.place + "/events?from=end", {"Authorization": "Bearer " + other["token"]})
        self.stella("token", "revoke", made["id"])
        for kind, process in reading.items():
            self.assertEqual(process.wait(timeout=30), 0)
            end = self.read(self.path(kind)).decode().rstrip("\n").split("\n")
            self.assertEqual(end[-2:], ["event: end", "data: " + json.dumps({"reason": "access", "runId": self.job}, separators=(",", ":"))])
        self.api(self.place + "/events", {"Authorization": "Bearer " + made["token"]}, expect=401)
        self.stella("pack", "runs", "cancel", "--run", self.job, "--grace", "0s")
        self.assertEqual(json.loads(stays.until(is_end)[-1]["data"])["state"], "cancelled")

    def test_streams_end_when_their_token_expires(self):
        stream = self.stream(self.place + "/events", self.bearer("packs.read", "plant-7", "--expires", "3s"))
        self.assertEqual(json.loads(stream.until(is_end)[-1]["data"]), {"reason": "access", "runId": self.job})
        self.assertIsNone(stream.message())

    def test_streams_end_with_a_logout_and_a_logout_outlives_the_server(self):
        origin = {"Origin": f"http://127.0.0.1:{self.port}"}
        form = {"Content-Type": "application/x-www-form-urlencoded", **origin}
        cookies = []
        for _ in range(2):
            found = self.ask("/console/login", form, method="POST", body=b"token=" + self.token()["token"].encode())[1]
            cookies.append({"Cookie": found["set-cookie"].split(";")[0]})
        proof = self.api("/api/session", cookies[0])["form"]
        stream = self.stream(self.place + "/logs", cookies[0])
        self.assertIn("begun", stream.message()["data"])
        self.assertEqual(self.ask("/console/logout", {**cookies[0], **origin, "X-Stella-Form": proof}, method="POST", body=b"")[0], 303)
        self.assertEqual(json.loads(stream.until(is_end)[-1]["data"])["reason"], "access")
        self.assertEqual(self.stop(signal.SIGKILL), -signal.SIGKILL)
        self.serve(self.port)
        self.api("/api/runs", cookies[0], expect=401)
        self.api("/api/runs", cookies[1])

    def test_a_download_breaks_off_when_its_token_is_revoked(self):
        run = self.run_job([{"id": "a", "run": {"script": "head -c 100000000 /dev/zero > /artifacts/large"}}], "large")
        made = self.token()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"/api/runs/{quote(run)}/artifacts?path=large", headers={"Authorization": "Bearer " + made["token"]})
        response = connection.getresponse()
        self.assertEqual(response.getheader("Content-Length"), "100000000")
        got = len(response.read(1 << 20))
        self.stella("token", "revoke", made["id"])
        self.wait_for(lambda: self.ask("/api/runs", {"Authorization": "Bearer " + made["token"]})[0] == 401)
        try:
            while more := response.read(256 << 10):
                got += len(more)
                time.sleep(0.02)  # what is left takes eight seconds; it looks twice a second
        except ConnectionError:
            pass
        self.assertLess(got, 100000000)
        connection.close()


class Sites(ServeSite):
    def test_only_its_own_host_and_origin_are_taken(self):
        self.serve()
        good = self.bearer()
        for host in (f"127.0.0.1:{self.port}", f"localhost:{self.port}", f"[::1]:{self.port}"):
            self.assertEqual(self.ask("/api/runs", good, host=host)[0], 200, host)
        for host in ("evil.example", f"evil.example:{self.port}", "127.0.0.1", f"127.0.0.1:{self.port + 1}", f"127.0.0.1.evil.example:{self.port}"):
            for path in ("/api/runs", "/healthz", "/console/login"):
                self.assertEqual(self.ask(path, good, host=host)[0], 403, host)
        for origin in ("null", "http://evil.example", f"https://127.0.0.1:{self.port}", f"http://localhost:{self.port}"):
            self.assertEqual(self.ask("/api/runs", {**good, "Origin": origin})[0], 403, origin)
        self.assertEqual(self.ask("/api/runs", {**good, "Origin": f"http://127.0.0.1:{self.port}"})[0], 200)

    def test_every_answer_carries_the_guards(self):
        self.serve()
        good = self.bearer()
        for path, headers in (("/healthz", {}), ("/readyz", {}), ("/api/runs", good), ("/api/runs", {}), ("/nothing", {}), ("/a//b", {}), ("/console/login", {})):
            _, found, _ = self.ask(path, headers)
            self.assertIn("default-src 'none'", found["content-security-policy"], path)
            self.assertNotIn("unsafe", found["content-security-policy"])
            self.assertEqual(found["cache-control"], "no-store", path)
            self.assertEqual(found["x-content-type-options"], "nosniff")
            self.assertEqual(found["cross-origin-opener-policy"], "same-origin")

    def test_a_browser_logs_in_and_out(self):
        self.serve()
        made = self.token()
        origin = {"Origin": f"http://127.0.0.1:{self.port}"}
        form = {"Content-Type": "application/x-www-form-urlencoded", **origin}
        self.assertEqual(self.ask("/console/login", form, method="POST", body=b"token=nonsense")[0], 403)
        status, found, _ = self.ask("/console/login", form, method="POST", body=b"token=" + made["token"].encode())
        self.assertEqual((status, found["location"]), (303, "/console/packs/runs"))
        self.assertIn("HttpOnly; SameSite=Strict", found["set-cookie"])
        cookie = {"Cookie": found["set-cookie"].split(";")[0]}
        proof = self.api("/api/session", cookie)["form"]
        port = self.port
        self.assertEqual(self.stop(signal.SIGKILL), -signal.SIGKILL)
        self.serve(port)  # the session outlives the server
        self.api("/api/runs", cookie)
        self.assertEqual(self.ask("/console/logout", {**cookie, **origin}, method="POST", body=b"")[0], 403)
        self.assertEqual(self.ask("/console/logout", {**cookie, "X-Stella-Form": proof}, method="POST", body=b"")[0], 403)
        self.stella("token", "revoke", made["id"])
        self.api("/api/runs", cookie, expect=401)

    def test_a_damaged_list_of_logouts_keeps_only_sessions_from_working(self):
        self.serve()
        made = self.token()
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}

        def log_in():
            return self.ask("/console/login", form, method="POST", body=b"token=" + made["token"].encode())
        cookie = {"Cookie": log_in()[1]["set-cookie"].split(";")[0]}
        self.api("/api/runs", cookie)
        self.stop()
        access = os.path.join(self.home, "access")
        with open(os.path.join(access, "ended.json"), "w", encoding="ascii") as file:
            file.write('{"schema":"stella.sess')
        self.serve(self.port)
        self.api("/api/runs", {"Authorization": "Bearer " + made["token"]})
        status, _, body = self.ask("/api/runs", cookie)
        self.assertGreaterEqual(status, 400)
        self.assertIn("access/session.key", json.loads(body)["error"]["fix"])
        self.assertNotIn("set-cookie", log_in()[1])
        self.stop()
        for name in ("ended.json", "session.key"):
            os.remove(os.path.join(access, name))
        self.serve(self.port)
        self.api("/api/runs", cookie, expect=401)
        self.api("/api/runs", {"Cookie": log_in()[1]["set-cookie"].split(";")[0]})

    def test_the_homes_owner_needs_no_token_on_a_unix_socket(self):
        path = self.path("s")
        self.server = self.start("--output", "ndjson", "serve", "--listen", f"unix:{path}")
        self.assertEqual(json.loads(self.server.stdout.readline())["address"], f"unix:{path}")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        done = subprocess.run(["curl", "-s", "--unix-socket", path, "http://localhost/api/runs"], stdout=subprocess.PIPE, check=True)
        self.assertEqual(json.loads(done.stdout)["runs"], [])
        if os.getuid() == 0:
            os.chmod(path, 0o777)
            os.chmod(self.root, 0o755)
            other = subprocess.run(["setpriv", "--reuid=61234", "--clear-groups", "curl", "-s", "--unix-socket", path, "http://localhost/api/runs"],
                                   stdout=subprocess.PIPE, check=True)
            self.assertEqual(json.loads(other.stdout)["error"]["reason"], "token")
        self.server.terminate()
        self.assertEqual(self.server.wait(timeout=30), 0)
        self.assertFalse(os.path.exists(path), "the socket's file is left")

    def test_an_address_that_is_not_ours_alone_is_refused(self):
        for address in ("0.0.0.0:8080", "[::]:8080", "192.0.2.1:80", "8080", "unix:"):
            self.refused("ERR_USAGE", "serve", "--listen", address, reason="listen")
        self.serve()
        self.refused("ERR_USAGE", "serve", "--listen", f"127.0.0.1:{self.port}", reason="address")


class Hostile(ServeSite):
    def setUp(self):
        super().setUp()
        self.serve()
        self.good = self.bearer()
        self.head = f"Host: 127.0.0.1:{self.port}\r\nAuthorization: {self.good['Authorization']}\r\n".encode()

    def still_serves(self):
        self.assertEqual(self.ask("/healthz")[0], 200)
        self.api("/api/runs", self.good)

    def test_malformed_targets_are_refused(self):
        for path in ("/api/runs/%", "/api/runs/%zz", "/api/runs/%ff", "/api/runs/%c0%af", "/api/runs/%00", "/api//runs", "/api/runs/",
                     "/api/runs/../runs", "/api/runs/%2e%2e", "/api/runs/%2e%2e%2fx", "/api/runs/a%5cb", "/api/runs?state=%ff",
                     "/api/runs?limit=1&limit=2", "/api/runs?limit=-1", "/api/runs?limit=99999999999999999999", "/api/runs?since=x",
                     "/api/runs?cursor=x", "/api/runs?" + "x=1&" * 65, "/api/runs?q=" + "a" * 9000):
            status = self.ask(path, self.good)[0]
            self.assertEqual(status, 400, path)
        self.still_serves()

    def test_nothing_outside_the_artifacts_is_reached(self):
        run = self.run_job([{"id": "a", "run": {"script": "echo hello > /artifacts/x; ln -s /etc/passwd /artifacts/l; ln -s .. /artifacts/d; mkfifo /artifacts/p"}}])
        place = f"/api/runs/{quote(run)}/artifacts"
        status, headers, body = self.ask(place + "?path=x", self.good)
        self.assertEqual((status, body, headers["content-type"]), (200, b"hello\n", "application/octet-stream"))
        self.assertTrue(headers["content-disposition"].startswith("attachment"))
        for path in ("../plan.json", "..%2fplan.json", "/etc/passwd", "l", "d/plan.json", "d", "p", "", ".", "x/../../plan.json", "%2e%2e/plan.json"):
            self.assertEqual(self.ask(f"{place}?path={path}", self.good)[0], 404, path)
            self.assertEqual(self.ask(f"/api/runs/{quote(run)}/evidence?path={path}", self.good)[0], 404, path)

    def test_heads_that_are_too_large_or_no_http_are_refused(self):
        long = self.raw(b"GET /healthz HTTP/1.1\r\n" + self.head + b"X: " + b"a" * 100000 + b"\r\n\r\n")
        self.assertIn(b" 431 ", long.split(b"\r\n")[0])
        many = self.raw(b"GET /healthz HTTP/1.1\r\n" + self.head + b"".join(b"X%d: a\r\n" % i for i in range(100)) + b"Connection: close\r\n\r\n")
        self.assertIn(b" 400 ", many.split(b"\r\n")[0])
        self.assertNotIn(b" 200 ", self.raw(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n").split(b"\r\n")[0])
        bad = self.raw(b"GET /api/runs HTTP/1.1\r\n" + self.head + b"X: \xff\xfe\r\nConnection: close\r\n\r\n")
        self.assertIn(b" 400 ", bad.split(b"\r\n")[0])
        two = self.raw(b"GET /api/runs HTTP/1.1\r\n" + self.head + self.head + b"Connection: close\r\n\r\n")
        self.assertNotIn(b" 200 ", two.split(b"\r\n")[0])
        for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50, b"\0" * 5000, b"\r\n" * 5000, b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n"):
            self.raw(nonsense, seconds=3)
        self.still_serves()

    def test_bodies_that_are_too_large_are_refused(self):
        runner = self.bearer("packs.run")
        announced = self.raw(f"POST /api/runs HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: {runner['Authorization']}\r\n"
                             f"Content-Length: {5 << 20}\r\n\r\n".encode())  # refused before a byte of it is sent
        self.assertIn(b" 413 ", announced.split(b"\r\n")[0])
        self.api("/api/runs", runner, expect=400, method="POST", body=b"{")
        self.api("/api/runs", runner, expect=400, method="POST", body=b'{"pack":"--home"}')
        self.api("/api/runs", runner, expect=400, method="POST", body=b'{"pack":"a:1.0.0","more":1}')
        self.api("/api/runs", runner, expect=404, method="POST", body=b'{"pack":"nothing:1.0.0"}')
        self.api("/healthz", {}, expect=405, method="POST", body=b"")
        chunks = b"".join(b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n" for _ in range(80)) + b"0\r\n\r\n"
        head = f"POST /api/runs HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: {runner['Authorization']}\r\n".encode()
        found = self.raw(head + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        self.assertIn(b" 413 ", found.split(b"\r\n")[0])
        self.still_serves()

    def test_slow_silent_and_half_open_clients_are_cut_off_and_hold_nobody_up(self):
        silent = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(200)]
        slow = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(50)]
        half = socket.create_connection(("127.0.0.1", self.port))
        half.sendall(b"GET /healthz HTTP/1.1\r\n" + self.head)
        half.shutdown(socket.SHUT_WR)
        for one in slow:
            one.sendall(b"GET /healthz HTTP/1.1\r\n")
        gone = set()
        until = time.time() + 60
        while len(gone) < len(slow) and time.time() < until:
            for one in slow:
                if one in gone:
                    continue
                try:
                    one.sendall(b"X: y\r\n")
                except OSError:
                    gone.add(one)
            self.still_serves()
            time.sleep(0.5)
        self.assertEqual(len(gone), len(slow))
        for one in silent + slow + [half]:
            one.close()
        self.still_serves()

    def test_more_connections_than_it_takes_do_no_harm(self):
        held = []
        for _ in range(1300):
            try:
                held.append(socket.create_connection(("127.0.0.1", self.port), timeout=5))
            except OSError:
                break
        for one in held:
            one.close()
        self.wait_for(lambda: self.ask("/healthz")[0] == 200)
        self.assertLess(self.threads(), 10)


if __name__ == "__main__":
    main()
