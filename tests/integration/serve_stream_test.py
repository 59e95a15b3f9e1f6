# SPDX-License-Identifier: Apache-2.0
"""Runs watched live: many viewers, a server that is killed or told to stop, nothing lost and nothing twice."""
import json
import os
import selectors
import signal
import socket
import subprocess
import threading
import time

from harness import SLOWNESS, main
from serve_site import ServeSite, Stream, is_end, quote

KEPT = 0 if SLOWNESS == 1 else 512 << 10  # kilobytes of freed memory that a sanitizer may hold back
CHATTER = "i=0; while [ $i -lt {lines} ]; do echo \"line $i of the step\"; i=$((i+1)); [ $((i % {burst})) -eq 0 ] && sleep {pause}; done; true"


def script(lines, burst=50, pause="0.1"):
    return CHATTER.format(lines=lines, burst=burst, pause=pause)


def lines_of(messages):
    return "".join(json.loads(one["data"]).get("text", "") for one in messages if "event" not in one).splitlines()


def wanted(count):
    return [f"line {number} of the step" for number in range(count)]


class Crowd:
    """Many raw SSE connections read by one selector loop, so that the test is no bottleneck."""

    def __init__(self, port, headers, paths):
        self.selector = selectors.DefaultSelector()
        self.texts = {}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        for path in paths:
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            one.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{head}\r\n".encode())
            one.setblocking(False)
            self.texts[one] = [path, bytearray()]
            self.selector.register(one, selectors.EVENT_READ)

    def read_all(self, seconds):
        """Until every connection was closed by the server."""
        until, left = time.time() + seconds, len(self.texts)
        while left and time.time() < until:
            for key, _ in self.selector.select(1):
                try:
                    more = key.fileobj.recv(262144)
                except BlockingIOError:
                    continue
                except ConnectionError:
                    more = b""
                if more:
                    self.texts[key.fileobj][1].extend(more)
                else:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()
                    left -= 1
        return left


class Streams(ServeSite):
    def setUp(self):
        super().setUp()
        self.serve()
        self.good = self.bearer()

    def begin(self, steps, name="job"):
        """A run that goes on by itself; its id."""
        bundle = self.pack(name, steps)
        return self.stella("--output", "json", "pack", "run", "--detach", "--bundle", bundle).json["runId"]

    def test_events_and_lines_come_once_and_the_stream_ends_with_the_run(self):
        run = self.begin([{"id": "talk", "run": {"script": script(300)}}])
        place = f"/task-runner/runs/{quote(run)}"
        events = self.stream(place + "/events", self.good).until(is_end)
        self.assertEqual(events[-1]["event"], "end")
        self.assertEqual(json.loads(events[-1]["data"])["state"], "succeeded")
        numbers = [int(one["id"]) for one in events[:-1]]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        types = [json.loads(one["data"])["type"] for one in events[:-1]]
        self.assertEqual((types[0], types[-1]), ("pack.run.submitted", "pack.evidence.sealed"))
        messages = self.stream(place + "/logs", self.good).until(is_end)
        self.assertEqual(lines_of(messages), wanted(300))
        # Whoever has it all is not to come again.
        last = {**self.good, "Last-Event-ID": messages[-2]["id"]}
        self.assertEqual(self.stream(place + "/logs", last).status, 204)
        self.assertEqual(self.stream(place + "/events", {**self.good, "Last-Event-ID": str(numbers[-1])}).status, 204)
        self.api(place + "/logs", {**self.good, "Last-Event-ID": "nonsense"}, expect=400)

    def test_any_id_leads_on_without_loss_or_repetition(self):
        run = self.run_job([{"id": "talk", "run": {"script": script(200, pause="0")}}, {"id": "more", "run": {"script": "echo more; echo err >&2"}}])
        place = f"/task-runner/runs/{quote(run)}/logs"
        whole = self.stream(place, self.good).until(is_end)
        for at in range(len(whole) - 2):
            rest = self.stream(place, {**self.good, "Last-Event-ID": whole[at]["id"]}).until(is_end)
            self.assertEqual([one.get("id") for one in rest], [one.get("id") for one in whole[at + 1:]])
        only = self.stream(place + "?step=more", self.good).until(is_end)
        self.assertEqual({json.loads(one["data"])["step"] for one in only if "event" not in one}, {"more"})
        missing = self.api(f"/api/runs/{quote(run)}/log/pieces?after={whole[0]['id']}&until={whole[1]['id']}", self.good)
        self.assertEqual([one["id"] for one in missing["pieces"]], [whole[1]["id"]])

    def test_curl_reads_it(self):
        run = self.run_job([{"id": "talk", "run": {"command": ["echo", "hello"]}}])
        done = subprocess.run(["curl", "-sN", "--max-time", "20", "-H", "Authorization: " + self.good["Authorization"],
                               f"http://127.0.0.1:{self.port}/task-runner/runs/{run}/logs"], stdout=subprocess.PIPE, check=True)
        self.assertIn(b"hello", done.stdout)
        self.assertIn(b"event: end", done.stdout)

    def test_a_server_that_is_killed_loses_and_repeats_nothing(self):
        run = self.begin([{"id": "talk", "run": {"script": script(600, burst=20, pause="0.1")}}])
        place = {kind: f"/task-runner/runs/{quote(run)}/{kind}" for kind in ("logs", "events")}
        found = {"logs": [], "events": []}
        kills = 0
        while not all(messages and messages[-1].get("event") == "end" for messages in found.values()):
            self.assertLess(kills, 60)
            for kind, messages in found.items():
                if messages and messages[-1].get("event") == "end":
                    continue
                headers = dict(self.good)
                if messages:
                    headers["Last-Event-ID"] = messages[-1]["id"]
                stream = self.stream(place[kind], headers)
                if stream.status == 204:
                    messages.append({"event": "end"})
                    continue
                if kind == "logs" and kills < 3:
                    threading.Timer(0.4, self.server.kill).start()
                messages.extend(one for one in stream.until(is_end if kills >= 3 else lambda one, k=kind: k == "events" or is_end(one))
                                if one.get("event") in (None, "end"))
                if kind == "logs" and kills < 3:
                    self.server.wait(timeout=30)
                    kills += 1
                    self.serve(self.port)
        self.assertEqual(kills, 3)
        self.assertEqual(lines_of(found["logs"]), wanted(600))
        numbers = [int(one["id"]) for one in found["events"] if "event" not in one]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_sigterm_ends_streams_with_a_hint_and_finishes(self):
        run = self.begin([{"id": "wait", "run": {"script": "echo begun; sleep 60"}}])
        stream = self.stream(f"/task-runner/runs/{quote(run)}/events", self.good)
        self.assertEqual(stream.message()["id"], "1")
        threading.Timer(0.5, self.server.terminate).start()
        last = stream.until(is_end)[-1]
        self.assertEqual((last["event"], last["retry"]), ("restart", "1000"))
        self.assertIsNone(stream.message())
        self.assertEqual(self.server.wait(timeout=30), 0)
        self.stella("pack", "runs", "cancel", "--run", run)

    def test_five_hundred_viewers_of_one_run_get_every_line(self):
        count = int(os.environ.get("STELLA_VIEWERS", "500"))
        run = self.begin([{"id": "talk", "run": {"script": script(1000, burst=100, pause="0.2")}}])
        before = self.resident()
        crowd = Crowd(self.port, self.good, [f"/task-runner/runs/{quote(run)}/logs"] * count)
        self.assertEqual(self.ask("/healthz")[0], 200)
        self.assertLess(self.threads(), 10)
        self.assertEqual(crowd.read_all(300), 0)
        for _, text in crowd.texts.values():
            messages = [dict(line.split(b": ", 1) for line in one.split(b"\n") if b": " in line) for one in bytes(text).split(b"\n\n")]
            body = "".join(json.loads(one[b"data"]).get("text", "") for one in messages if b"data" in one and b"event" not in one)
            self.assertEqual(body.splitlines(), wanted(1000))
        self.assertLess(self.resident() - before, (100 << 10) + KEPT, "it holds more than 200 kB a viewer")

    def test_a_hundred_viewers_of_twenty_runs_get_every_event(self):
        runs = [self.run_job([{"id": "a", "run": {"command": ["echo", "hello"]}}], f"job-{number}") for number in range(20)]
        crowd = Crowd(self.port, self.good, [f"/task-runner/runs/{quote(run)}/events" for run in runs for _ in range(5)])
        self.assertEqual(crowd.read_all(120), 0)
        for path, text in crowd.texts.values():
            run = next(one for one in runs if quote(one) in path)
            last = max(event["seq"] for event in self.events(run))
            numbers = [int(line[4:]) for line in bytes(text).split(b"\n") if line.startswith(b"id: ")]
            self.assertEqual(numbers, list(range(1, last + 1)), path)

    def test_a_viewer_that_reads_nothing_holds_nobody_up_and_no_memory(self):
        run = self.begin([{"id": "talk", "run": {"script": "i=0; while [ $i -lt 200 ]; do head -c 100000 /dev/zero | tr '\\0' x; echo; sleep 0.02; i=$((i+1)); done"}}])
        head = f"GET /task-runner/runs/{quote(run)}/logs HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: {self.good['Authorization']}\r\n\r\n"
        deaf = []
        for _ in range(50):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", self.port))
            one.sendall(head.encode())
            deaf.append(one)
        before = self.resident()
        whole = self.stream(f"/task-runner/runs/{quote(run)}/logs", self.good).until(is_end)
        self.assertEqual(whole[-1]["event"], "end")
        self.assertLess(self.resident() - before, (60 << 10) + KEPT)
        for one in deaf:
            one.close()


class Logs(ServeSite):
    def test_a_log_is_shown_by_lines_searched_and_taken_away(self):
        run = self.run_job([{"id": "talk", "run": {"script": script(2000, pause="0") + "; printf '\\033[31mred\\033[0m <b>&\\n'; echo oops >&2; printf last"}}])
        self.serve()
        good, place = self.bearer(), f"/api/runs/{quote(run)}/log"
        some = self.api(place + "?step=talk&from=1500&count=3", good)
        self.assertEqual([(line["n"], line["text"]) for line in some["lines"]], [(n, f"line {n - 1} of the step") for n in (1500, 1501, 1502)])
        self.assertTrue(some["ended"])
        end = self.api(place + "?step=talk&count=2", good)
        self.assertEqual(end["lines"][-1]["n"], end["total"])
        found = self.api(place + "/search?step=talk&q=" + "line%20199%5Cd", good)
        self.assertEqual((found["count"], found["hits"][0]["n"], found["hits"][0]["start"], found["hits"][0]["length"]), (10, 1991, 0, 9))
        self.assertEqual(self.api(place + "/search?step=talk&q=(&regex=0", good)["count"], 0)
        self.assertEqual(self.api(place + "/search?step=talk&q=LINE%200&case=0&limit=1", good)["count"], 1)
        self.api(place + "/search?step=talk&q=(", good, expect=400)
        self.api(place + "/search?step=talk&q=", good, expect=400)
        self.api(place, good, expect=400)
        status, headers, raw = self.ask(place + "/raw?step=talk", good)
        self.assertEqual(status, 200)
        self.assertIn("attachment", headers["content-disposition"])
        self.assertEqual(raw.count(b"\n"), 2002)
        self.assertIn(b"\x1b[31mred", raw)


if __name__ == "__main__":
    main()
