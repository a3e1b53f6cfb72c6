"""Numbers as Java reads them."""

from thingsboard.kernel.script.tbel import syntax as ast
from thingsboard.kernel.script.tbel.lexer import Token, fault

INT_MAX, LONG_MAX = 2**31 - 1, 2**63 - 1


def numeral(token: Token) -> ast.Number:
    """The number that a token writes: 1, 1L, 0x1F, 010 (eight), 1.5, 1d, 1.5f, 1e3. Raises ValueError if it is too large."""
    text, line = token.text, token.line
    if text[:2].lower() == "0x":
        return _whole(text.rstrip("lL")[2:], 16, text, line)
    if text[-1] in "dDfF" or "." in text or "e" in text.lower():
        return ast.Number(float(text.rstrip("dDfFB")), "double", line)
    digits = text.rstrip("lLIB")
    if len(digits) > 1 and digits[0] == "0":
        return _whole(digits, 8, text, line)
    return _whole(digits, 10, text, line)


def _whole(digits: str, base: int, text: str, line: int) -> ast.Number:
    try:
        value = int(digits, base)
    except ValueError:
        raise fault(f"unrecognized number {text}", line) from None
    if base == 16 and value in (INT_MAX + 1, LONG_MAX + 1):  # the two bit patterns that Java reads as the least value
        value = -value
    if value > LONG_MAX:
        if base == 10:
            return ast.Number(float(value), "double", line)
        raise fault(f"a number beyond 64 bits: {text}", line)
    return ast.Number(value, "long" if text[-1] in "lL" or value > INT_MAX else "int", line)
