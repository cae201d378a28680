"""English inflection for the corpus grammar: just enough rules and exceptions for the words in `words/`.

Every function takes a word or a phrase and changes one word of it (verbs: the first, nouns: the last). It knows
nothing about meaning and is no general stemmer.
"""

from __future__ import annotations

from collections.abc import Callable

_PAST = """be:was bear:bore beat:beat become:became begin:began bite:bit blow:blew break:broke bring:brought build:built
    buy:bought catch:caught choose:chose come:came cost:cost cut:cut dig:dug do:did draw:drew drink:drank
    drive:drove eat:ate fall:fell feed:fed feel:felt fight:fought find:found fly:flew forget:forgot
    forgive:forgave freeze:froze get:got give:gave go:went grow:grew hang:hung have:had hear:heard hide:hid
    hit:hit hold:held keep:kept know:knew lay:laid lead:led learn:learned leave:left lend:lent let:let lose:lost
    make:made mean:meant meet:met pay:paid put:put read:read ride:rode ring:rang rise:rose run:ran say:said
    see:saw sell:sold send:sent set:set shake:shook shine:shone sing:sang sink:sank sit:sat sleep:slept
    speak:spoke spend:spent spread:spread stand:stood steal:stole sweep:swept swim:swam take:took teach:taught
    tear:tore tell:told think:thought throw:threw understand:understood wake:woke wear:wore weave:wove win:won
    write:wrote quit:quit kneel:knelt weep:wept overcome:overcame rebuild:rebuilt repay:repaid rewrite:rewrote
    undo:undid slide:slid panic:panicked"""
_PLURALS = """man:men woman:women child:children person:people mouse:mice goose:geese tooth:teeth foot:feet sheep:sheep
    fish:fish deer:deer leaf:leaves wolf:wolves knife:knives shelf:shelves loaf:loaves life:lives wife:wives
    half:halves calf:calves thief:thieves scarf:scarves ox:oxen potato:potatoes tomato:tomatoes hero:heroes
    echo:echoes salmon:salmon squid:squid moose:moose fisherman:fishermen policeman:policemen series:series
    mango:mangoes volcano:volcanoes buffalo:buffaloes"""
_DOUBLED = """stop plan drop shop chat chop drag grin jog nod quit hum sob step trim nap tag wed occur refer prefer grab
    hug knit mop pat pin plug rob rub scrub ship skip slip snap stir tap trip trap wrap zip run sit swim win cut dig
    get hit let put set begin spin beg shut admit commit ban clap flip hop rip sip tip spot strum regret abhor unwrap"""
_IRREGULAR_PAST = dict(pair.split(":") for pair in _PAST.split())
_IRREGULAR_PLURAL = dict(pair.split(":") for pair in _PLURALS.split())
_DOUBLING = frozenset(_DOUBLED.split())
_VOWELS = "aeiou"


def past(phrase: str) -> str:
    """`go hiking` → `went hiking`, `try` → `tried`."""
    return _first(phrase, _past)


def gerund(phrase: str) -> str:
    """`bake a cake` → `baking a cake`."""
    return _first(phrase, _gerund)


def third(phrase: str) -> str:
    """`watch birds` → `watches birds` (third person singular)."""
    return _first(phrase, lambda verb: {"have": "has", "be": "is"}.get(verb) or _with_s(verb))


def plural(phrase: str) -> str:
    """`old city` → `old cities`."""
    head, _, noun = phrase.rpartition(" ")
    return f"{head} {_plural(noun)}" if head else _plural(noun)


def with_article(phrase: str) -> str:
    """`apple` → `an apple`, judged by spelling with the few exceptions the words need."""
    lowered = phrase.lower()
    if lowered.startswith(("hour", "honest", "heir", "honor")):
        return f"an {phrase}"
    if lowered.startswith(("uni", "use", "usu", "eu", "one", "uk", "ute")) and not lowered.startswith("unin"):
        return f"a {phrase}"
    return f"an {phrase}" if lowered[0] in _VOWELS else f"a {phrase}"


def capitalized(phrase: str) -> str:
    """`the cat` → `The cat`; the rest of the phrase stays as it is."""
    return phrase[0].upper() + phrase[1:]


def _first(phrase: str, change: Callable[[str], str]) -> str:
    verb, space, rest = phrase.partition(" ")
    return f"{change(verb)}{space}{rest}"


def _past(verb: str) -> str:
    if verb in _IRREGULAR_PAST:
        return _IRREGULAR_PAST[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return f"{verb[:-1]}ied"
    return f"{verb}{verb[-1]}ed" if verb in _DOUBLING else f"{verb}ed"


def _gerund(verb: str) -> str:
    if verb.endswith("ie"):
        return f"{verb[:-2]}ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return f"{verb[:-1]}ing"
    return f"{verb}{verb[-1]}ing" if verb in _DOUBLING else f"{verb}ing"


def _with_s(word: str) -> str:
    if word.endswith("y") and word[-2] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{word}s"


def _plural(noun: str) -> str:
    if noun in _IRREGULAR_PLURAL:
        return _IRREGULAR_PLURAL[noun]
    # Most nouns in -o that the words use are borrowed and take a plain -s; the others are listed above.
    return f"{noun}s" if noun.endswith("o") else _with_s(noun)
