# SPDX-License-Identifier: Apache-2.0
"""python3-jmespath as the oracle of expressions: as it is (`plain_answer`), and where it leaves the specification led
back to it (`answer`). Each departure is named where it is made, and listed in docs/expressions.md.

An answer is ("result", JSON) or ("error", kind), kind being stella's reason without `expression-`.
"""
import decimal
import json
import math
import re

import jmespath
from jmespath import exceptions, functions, lexer, parser, visitor

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")


def refuse_duplicates(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


class Lexer(lexer.Lexer):
    def _consume_literal(self):
        """A literal is JSON: no quotes left out (deprecated by JEP-12), no NaN, no name twice."""
        start = self._position
        lexeme = self._consume_until("`").replace("\\`", "`")
        try:
            value = json.loads(lexeme, object_pairs_hook=refuse_duplicates, parse_constant=refuse_constant)
        except ValueError as error:
            raise exceptions.LexerError(lexer_position=start, lexer_value=lexeme, message=str(error)) from error
        return {"type": "literal", "value": value, "start": start, "end": self._position - start}


class Parser(parser.Parser):
    def _parse(self, expression):
        self._tokens = list(Lexer().tokenize(expression))
        self._index = 0
        parsed = self._expression(binding_power=0)
        if self._current_token() != "eof":
            self._raise_parse_error_for_token(self._lookahead_token(0), "left over")
        return parsed

    def parse(self, expression):
        return self._do_parse(expression)

    def _token_nud_expref(self, token):
        """`&` stands before arguments only (grammar, function-arg)."""
        self._raise_parse_error_for_token(token, "no argument")

    def _token_led_lparen(self, left):
        """Arguments are separated by commas, and the name of a function is an identifier, not one in parentheses."""
        name = self._lookahead_token(-2)
        if left["type"] != "field" or name["type"] != "unquoted_identifier":
            self._raise_parse_error_for_token(name, "no function's name")
        arguments = []
        if self._current_token() != "rparen":
            arguments.append(self._argument())
            while self._current_token() == "comma":
                self._match("comma")
                arguments.append(self._argument())
        self._match("rparen")
        return parser.ast.function_expression(left["value"], arguments)

    def _argument(self):
        if self._current_token() != "expref":
            return self._expression()
        self._match("expref")
        return parser.ast.expref(self._expression())

    def _parse_multi_select_hash(self):
        """Members are separated by commas."""
        pairs = []
        while True:
            key = self._lookahead_token(0)
            self._match_multiple_tokens(token_types=["quoted_identifier", "unquoted_identifier"])
            self._match("colon")
            pairs.append(parser.ast.key_val_pair(key_name=key["value"], node=self._expression(0)))
            if self._current_token() == "rbrace":
                self._match("rbrace")
                return parser.ast.multi_select_dict(nodes=pairs)
            self._match("comma")

    def _parse_slice_expression(self):
        """Between two colons stands one number at most."""
        parts, place = [None, None, None], 0
        while self._current_token() != "rbracket":
            if self._current_token() == "number" and parts[place] is None:
                parts[place] = self._lookahead_token(0)["value"]
                self._match("number")
                if self._current_token() != "rbracket" and self._current_token() != "colon":
                    self._raise_parse_error_for_token(self._lookahead_token(0), "syntax error")
            elif self._current_token() == "colon" and place < 2:
                place += 1
                self._match("colon")
            else:
                self._raise_parse_error_for_token(self._lookahead_token(0), "syntax error")
        self._match("rbracket")
        return parser.ast.slice(*parts)

    def _token_led_lbracket(self, left):
        """A slice makes a projection after an index too: list[0][1:2].name."""
        if self._current_token() in ("number", "colon"):
            return self._project_if_slice(left, self._parse_index_expression())
        return super()._token_led_lbracket(left)


def same(left, right):
    """Equality of JSON: at every depth `true` is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return left == right


def number_text(value):
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    if 1e-6 <= abs(value) < 1e21:
        return format(decimal.Decimal(repr(value)), "f")
    return re.sub(r"e([+-])0*", r"e\1", repr(value))


def canonical(value):
    """RFC 8785."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number_text(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    return json.dumps(value, ensure_ascii=False)


def require_objects(arguments):
    for argument in arguments:
        if not isinstance(argument, dict):
            raise TypeError("no object")


class Functions(functions.Functions):
    def _validate_arguments(self, args, signature, function_name):
        """A parameter of any type takes any value of JSON, which `&expression` is not."""
        super()._validate_arguments(args, signature, function_name)
        for index, argument in enumerate(args):
            if isinstance(argument, visitor._Expression) and "expref" not in signature[min(index, len(signature) - 1)]["types"]:
                raise TypeError("an expression where a value is wanted")

    @functions.signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject, search):
        """A string contains no number; `true` is not 1."""
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        return any(same(element, search) for element in subject)

    @functions.signature({"types": []})
    def _func_to_string(self, arg):
        """RFC 8785 where python has a spelling of its own: 2.0, 1e+21, \\u00e9."""
        return arg if isinstance(arg, str) else canonical(arg)

    @functions.signature({"types": []})
    def _func_to_number(self, arg):
        """Text that is a JSON number; python also reads ` 7`, `+7`, `1_000`, `nan`."""
        if not isinstance(arg, str):
            return super()._func_to_number(arg)
        return super()._func_to_number(arg) if JSON_NUMBER.match(arg) else None

    @functions.signature({"types": ["object"], "variadic": True})
    def _func_merge(self, *arguments):
        """Every argument is an object, not the first alone."""
        require_objects(arguments)
        return super()._func_merge(*arguments)

    # Members in the order of their names; python keeps the order they were written in.
    @functions.signature({"types": ["object"]})
    def _func_keys(self, arg):
        return sorted(arg)

    @functions.signature({"types": ["object"]})
    def _func_values(self, arg):
        return [arg[name] for name in sorted(arg)]


class Interpreter(visitor.TreeInterpreter):
    COMPARATOR_FUNC = {**visitor.TreeInterpreter.COMPARATOR_FUNC, "eq": same, "ne": lambda x, y: not same(x, y)}

    def __init__(self):
        super().__init__(visitor.Options(custom_functions=Functions()))

    def visit_comparator(self, node, value):
        """Order is defined for numbers; python orders strings too, and stops at a string and a number."""
        if node["value"] in self._EQUALITY_OPS:
            return super().visit_comparator(node, value)
        left, right = (self.visit(child, value) for child in node["children"])
        if not (visitor._is_actual_number(left) and visitor._is_actual_number(right)):
            return None
        return self.COMPARATOR_FUNC[node["value"]](left, right)

    def visit_value_projection(self, node, value):
        base = self.visit(node["children"][0], value)
        if not isinstance(base, dict):
            return None
        found = [self.visit(node["children"][1], base[name]) for name in sorted(base)]
        return [each for each in found if each is not None]


def check_calls(node):
    """Names and numbers of arguments are checked before anything is evaluated, not when the call is reached."""
    if not isinstance(node, dict):
        return
    if node["type"] == "function_expression":
        known = Functions.FUNCTION_TABLE.get(node["value"])
        if known is None:
            raise exceptions.UnknownFunctionError(node["value"])
        signature, given = known["signature"], len(node["children"])
        if given < len(signature) or (given > len(signature) and not signature[-1].get("variadic")):
            raise exceptions.ArityError(len(signature), given, node["value"])
    for child in node.get("children", []):
        check_calls(child)


def is_finite(value):
    if isinstance(value, list):
        return all(map(is_finite, value))
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)


def answer_of(search):
    try:
        value = search()
    except (exceptions.ArityError, exceptions.UnknownFunctionError):
        return "error", "function"
    except (exceptions.ParseError, exceptions.EmptyExpressionError):
        return "error", "syntax"
    except (exceptions.JMESPathTypeError, TypeError):
        return "error", "type"
    except (ValueError, OverflowError):
        return "error", "value"
    return ("result", value) if is_finite(value) else ("error", "value")


def answer(expression, document):
    def search():
        parsed = Parser().parse(expression)
        check_calls(parsed)
        return Interpreter().visit(parsed, document)
    return answer_of(search)


def plain_answer(expression, document):
    return answer_of(lambda: jmespath.search(expression, document))
