#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documentation says what the binary does: pages made from --help, links, codes, command lines, tests, crash points."""
import functools
import importlib.util
import itertools
import os
import re
import shlex
import unittest

from harness import SOURCE, STELLA, SealedSite, main

LAYERS = ("bundles", "vault", "mirror", "appliance")
EXPLAINED = {os.path.join("docs", "formats", "events.md"): ["--events"],
             os.path.join("docs", "operations", "observability", "metrics.md"): ["--metrics"]}
GENERATED = (os.path.join("docs", "commands"), os.path.join("docs", "errors.md"), *EXPLAINED)


def load_generator():
    spec = importlib.util.spec_from_file_location("generate_commands", os.path.join(SOURCE, "docs", "generate_commands.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as handle:
        return handle.read()


def walk(folder, endings):
    for root, folders, names in os.walk(os.path.join(SOURCE, folder)):
        folders[:] = [name for name in folders if name != "build" and not name.startswith(".")]
        for name in names:
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(root, name), SOURCE)


@functools.lru_cache
def pages():
    """path -> text of every markdown file of the house."""
    return {path: read(path) for path in sorted(walk(".", (".md",)))}


def written_by_hand():
    return {path: text for path, text in pages().items() if not path.startswith(GENERATED)}


def outside_fences(text):
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def fences(text):
    return re.findall(r"^(?:```|~~~)[^\n]*\n(.*?)^(?:```|~~~)", text, re.MULTILINE | re.DOTALL)


def anchors(text):
    """The fragments that a reader of markdown makes of the headings."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", outside_fences(text), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


def command_lines(text):
    """The words of each `stella ...` line of the fenced blocks, with or without a prompt such as `ada$ ` before it."""
    for block in fences(text):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.match(r"\s*(?:\w*[$#] )?(stella .*)", line)
            if found:
                yield split(found.group(1))


def split(line):
    line = re.sub(r"<<\S*|\s#.*$", "", line)  # here-documents and comments
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word[0] in "|;&<>":
            break
        words.append(word)
    return words


class Documentation(SealedSite):
    @functools.lru_cache
    def help(self, path):
        return self.stella(*path, "--help").out

    def verb_of(self, words):
        """(path, what follows it) of a command line's words after `stella`; global options before the verb are passed over."""
        generator, path, rest = load_generator(), (), list(words)
        while rest and rest[0].startswith("-"):
            option = rest.pop(0)
            if re.search(rf"{re.escape(option)} [A-Z]", self.help(())):
                rest.pop(0)
        while True:
            names = [name for name, _ in generator.children(self.help(path))]
            if not names:
                return path, rest
            if not rest or rest[0] not in names:
                return None, rest
            path = (*path, rest.pop(0))

    def test_the_pages_of_commands_are_what_the_help_says(self):
        wanted = load_generator().pages(STELLA)
        there = {os.path.basename(path): text for path, text in pages().items() if os.path.dirname(path) == GENERATED[0]}
        differ = sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))
        self.assertEqual(differ, [], f"run: docs/generate_commands.py {STELLA}")

    def test_the_explained_pages_are_what_the_binary_says(self):
        for path, options in EXPLAINED.items():
            with self.subTest(page=path):
                self.assertEqual(read(path), self.stella("explain", *options, "--markdown").out, f"run: stella explain {' '.join(options)} --markdown > {path}")

    def test_every_type_of_event_that_the_sources_name_is_described(self):
        known = {row["type"] for row in self.stella("--output", "json", "explain", "--events").json["events"]}
        named = set()
        for layer in LAYERS:
            for path in walk(layer, (".cpp", ".hpp")):
                if "/cli/" not in path and "/notif" not in path:  # those name topics, not all of them events
                    named |= set(re.findall(r'"(pack\.(?:run|step|gate|approval|network|secret|chaos|evidence)\.[a-z]+)"', read(path)))
        self.assertEqual(sorted(named - known), [], "give it a row in appliance/journal/event_types.cpp")

    def test_relative_links_lead_somewhere(self):
        for path, text in pages().items():
            for target in re.findall(r"\]\(([^)\s]+)\)", outside_fences(text)):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, fragment = target.partition("#")
                place = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                with self.subTest(page=path, link=target):
                    self.assertTrue(os.path.exists(os.path.join(SOURCE, place)))
                    if fragment and place.endswith(".md"):
                        self.assertIn(fragment, anchors(read(place)))

    def test_named_codes_exist(self):
        known = {row["code"] for row in self.stella("--output", "json", "explain").json["codes"]}
        for path, text in pages().items():
            for code in set(re.findall(r"\b(?:ERR_[A-Z]+(?:_[A-Z]+)*|AIRGAP_[A-Z_]+)\b(?![_*])", text)):
                with self.subTest(page=path, code=code):
                    self.assertIn(code, known)

    def test_shown_command_lines_can_be_typed(self):
        seen = 0
        for path, text in written_by_hand().items():
            for words in command_lines(text):
                seen += 1
                with self.subTest(page=path, line=" ".join(words)):
                    verb, rest = self.verb_of(words[1:])
                    self.assertIsNotNone(verb, "no such verb")
                    text_of_verb = self.help(verb) + self.help(())
                    for option in (word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)):
                        self.assertRegex(text_of_verb, rf"(?m)(?:^|[\s,]){re.escape(option)}[\s,]")
        self.assertGreater(seen, 30)

    def test_commands_named_in_sentences_exist(self):
        for path, text in written_by_hand().items():
            for span in re.findall(r"`stella ([^`]+)`", outside_fences(text)):
                with self.subTest(page=path, command=span):
                    words = [word.split("|") for word in span.split() if not word.startswith("-")]  # `key new|show`: each
                    for one in itertools.product(*words):
                        self.assertTrue(self.is_start_of_a_verb(one))

    def is_start_of_a_verb(self, words):
        generator, path = load_generator(), ()
        for word in words:
            names = [name for name, _ in generator.children(self.help(path))]
            if not names or word.isupper():
                return True  # arguments of a whole verb, or any verb
            if word not in names:
                return False
            path = (*path, word)
        return True

    def test_every_crash_point_is_described(self):
        named = set()
        for layer in LAYERS:
            for path in walk(layer, (".cpp", ".hpp")):
                named |= set(re.findall(r'crash_point\("([a-z0-9._-]+)"\)', read(path)))
        section = read("docs/behaviours.md").split("## Crash points")[1]
        self.assertEqual(set(re.findall(r"^\| `([a-z0-9._-]+)` \|", section, re.MULTILINE)), named)

    def test_the_transcript_is_of_a_whole_demo(self):
        text = read("README.md").split("<!-- transcript:begin -->")[1].split("<!-- transcript:end -->")[0]
        self.assertEqual(re.findall(r"^━━ (\w+)", text, re.MULTILINE), ["0", "1", "2", "3", "4", "5", "6", "Done"], "run: demo/refresh_transcript.py")

    def test_named_tests_exist(self):
        gtests, methods = set(), set()
        for path in walk("tests", ("_test.cpp",)):
            gtests |= {f"{suite}.{name}" for suite, name in re.findall(r"TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", read(path))}
        for path in walk("tests", ("_test.py",)):
            methods |= set(re.findall(r"def (test_\w+)\(", read(path)))
        for path in (os.path.join("docs", "behaviours.md"), os.path.join("docs", "threat-model.md")):
            text = outside_fences(read(path))
            for name in re.findall(r"`([A-Z]\w+\.[A-Z]\w+|test_\w+)`", text):
                with self.subTest(page=path, test=name):
                    self.assertTrue(name in gtests or name in methods)


class Splitting(unittest.TestCase):
    def test_words_end_where_the_shell_takes_over(self):
        self.assertEqual(split("stella site show --allowed-signers > mine"), ["stella", "site", "show", "--allowed-signers"])
        self.assertEqual(split("stella vault put k --scope 's t' < file  # why"), ["stella", "vault", "put", "k", "--scope", "s t"])


if __name__ == "__main__":
    main()
