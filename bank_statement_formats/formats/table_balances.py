"""Running balances: they prove the order of the lines, their signs, and that none are missing."""


def best_order(rows):
    """
    :param rows: list of (day, amount, balance or None)
    :return: (the numbers of the rows, oldest first, in the order in which the balances follow; how many follow; of how
        many)
    """
    best = None
    for order in _orders(rows):
        right, total, _breaks = compare(rows, order)
        if best is None or right > best[1]:
            best = order, right, total
        if right == total:
            break
    return best or ([], 0, 0)


def compare(rows, order):
    """:return: (how many balances follow from the one before, of how many, list of the rows that do not)"""
    running, right, total, breaks = None, 0, 0, []
    for number in order:
        _day, amount, balance = rows[number]
        if running is not None:
            running += amount
        if balance is not None:
            if running is not None:
                total += 1
                if running == balance:
                    right += 1
                else:
                    breaks.append(number)
            running = balance
    return right, total, breaks


def opening_and_closing(rows, order):
    """:return: (balance before the first, after the last), or (None, None)"""
    before = opening = closing = None
    total = 0
    for number in order:
        _day, amount, balance = rows[number]
        total += amount
        if balance is not None and opening is None:
            opening = balance - total
        if balance is not None:
            closing, before = balance, total
    return (None, None) if opening is None else (opening, closing + total - before)


def _orders(rows):
    """As given, reversed, and with the days reversed but the lines of each day as given."""
    numbers = list(range(len(rows)))
    is_newest_first = bool(rows) and rows[0][0] > rows[-1][0]
    backwards = numbers[::-1]
    by_day = sorted(numbers, key=lambda number: rows[number][0])
    by_day_backwards = sorted(backwards, key=lambda number: rows[number][0])
    yield from (
        (backwards, by_day, numbers, by_day_backwards)
        if is_newest_first
        else (
            numbers,
            by_day_backwards,
            backwards,
            by_day,
        )
    )
