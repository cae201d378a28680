"""Tables to wire nodes and back, column by column; `arrays` holds what their columns are made of.

What comes in is hostile: extension types are matched against a pattern, and every part must have the length that the
others have. pandas is imported here only when a table has to be rebuilt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.arrays import encode_numpy
from grading_utils.boundary.wire.references import Reader, Writer

_MASKED = re.compile(r"U?Int(?:8|16|32|64)|Float(?:32|64)|boolean")
# Neither an absolute path nor `dateutil/...`, for which pandas opens a file.
_ZONED = re.compile(r"datetime64\[(?:s|ms|us|ns), (?!dateutil/)[-+\w][-+:/\w]{0,60}\]")


def encode_pandas(encoder: Writer, value: Any, kind: type) -> nodes.Value:
    """The node for a table, a column, an index or a moment; None for anything else of pandas'."""
    import pandas as pd

    if kind is pd.DataFrame:
        columns = [_column(encoder, value.iloc[:, position].array) for position in range(value.shape[1])]
        if any(column is None for column in columns):
            return None
        return nodes.Frame(encoder.node(value.columns), encoder.node(value.index), columns)
    if kind is pd.Series:
        column = _column(encoder, value.array)
        return None if column is None else nodes.Series(column, encoder.node(value.index), encoder.node(value.name))
    if kind is pd.RangeIndex:
        spread = range(value.start, value.stop, value.step)
        return nodes.Index("range", [encoder.node(spread)], [encoder.node(value.name)])
    if kind is pd.MultiIndex:
        levels = [_column(encoder, value.get_level_values(level).array) for level in range(value.nlevels)]
        return None if None in levels else nodes.Index("multi", levels, encoder.all(list(value.names)))
    if kind in (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex):
        column = _column(encoder, value.array)
        return None if column is None else nodes.Index("plain", [column], [encoder.node(value.name)])
    if kind is pd.Timestamp or kind is pd.Timedelta:
        return nodes.Moment("Timestamp" if kind is pd.Timestamp else "Timedelta", value.isoformat())
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return _column(encoder, value)
    return None


def _column(encoder: Writer, array: Any) -> nodes.Value:
    """The node for the content of a column; None where it isn't data."""
    import numpy as np
    import pandas as pd

    dtype = array.dtype
    if isinstance(dtype, np.dtype) or type(array) is pd.arrays.NumpyExtensionArray:
        return encode_numpy(encoder, np.asarray(array), np.ndarray)
    if isinstance(dtype, pd.StringDtype):
        items = [None if item is pd.NA or item != item else str(item) for item in array]
        return nodes.Strings(dtype.storage, dtype.na_value is not pd.NA, encoder.all(items))
    if isinstance(dtype, pd.CategoricalDtype):
        return nodes.Categorical(encoder.node(array.codes), encoder.node(array.categories), bool(array.ordered))
    if isinstance(dtype, pd.DatetimeTZDtype) and _ZONED.fullmatch(str(dtype)):
        return nodes.Zoned(str(dtype), encoder.node(array.asi8))
    if _MASKED.fullmatch(str(dtype)):
        return nodes.Masked(str(dtype), encoder.all([None if item is pd.NA else item.item() for item in array]))
    return None


def _decode_strings(decoder: Reader, node: nodes.Strings) -> Any:
    import numpy as np
    import pandas as pd

    items = decoder.all(node.items)
    if not all(item is None or type(item) is str for item in items):
        raise TypeError("a string array holds something else")
    return pd.array(items, dtype=pd.StringDtype(node.storage, na_value=np.nan if node.nan else pd.NA))  # type: ignore[arg-type]


def _decode_masked(decoder: Reader, node: nodes.Masked) -> Any:
    import pandas as pd

    if not _MASKED.fullmatch(node.dtype):
        raise ValueError("not a dtype that may be sent")
    return pd.array(decoder.all(node.items), dtype=node.dtype)  # type: ignore[call-overload]


def _decode_zoned(decoder: Reader, node: nodes.Zoned) -> Any:
    import numpy as np
    import pandas as pd

    if not _ZONED.fullmatch(node.dtype):
        raise ValueError("not a dtype that may be sent")
    unit, zone = node.dtype[11:-1].split(", ", 1)
    moments = _plain_array(decoder.read(node.moments), np.int64).view(f"M8[{unit}]")
    return pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(zone).array


def _decode_categorical(decoder: Reader, node: nodes.Categorical) -> Any:
    import numpy as np
    import pandas as pd

    codes = decoder.read(node.codes)
    categories = decoder.read(node.categories)
    if type(codes) is not np.ndarray or codes.dtype.kind != "i" or not isinstance(categories, pd.Index):
        raise TypeError("a categorical needs codes and categories")
    return pd.Categorical.from_codes(codes, categories=categories, ordered=node.ordered)


def _plain_array(value: Any, dtype: Any) -> Any:
    import numpy as np

    if type(value) is not np.ndarray or value.dtype != dtype or value.ndim != 1:
        raise TypeError("not the array that belongs here")
    return value


def _decode_column(decoder: Reader, node: nodes.Value) -> Any:
    import numpy as np
    import pandas as pd

    column = decoder.read(node)
    if not isinstance(column, np.ndarray | pd.api.extensions.ExtensionArray) or column.ndim != 1:
        raise TypeError("a column must be a one-dimensional array")
    return column


def _decode_index(decoder: Reader, node: nodes.Index) -> Any:
    import numpy as np
    import pandas as pd

    names = decoder.all(node.names)
    if node.kind == "range":
        (spread,) = decoder.all(node.columns)
        if type(spread) is not range:
            raise TypeError("a range index needs a range")
        return pd.RangeIndex(spread, name=names[0])
    columns = [_decode_column(decoder, column) for column in node.columns]
    if node.kind == "multi":
        return pd.MultiIndex.from_arrays(columns, names=names)
    dtype = object if isinstance(columns[0], np.ndarray) and columns[0].dtype.kind == "O" else None
    return pd.Index(columns[0], name=names[0], dtype=dtype)


def _decode_series(decoder: Reader, node: nodes.Series) -> Any:
    import pandas as pd

    column, index = _decode_column(decoder, node.values), _index(decoder, node.index)
    if len(column) != len(index):
        raise ValueError("a series has more or fewer values than its index")
    return pd.Series(column, index=index, name=decoder.read(node.name), dtype=column.dtype)


def _decode_frame(decoder: Reader, node: nodes.Frame) -> Any:
    import pandas as pd

    columns, index = _index(decoder, node.columns), _index(decoder, node.index)
    values = [_decode_column(decoder, column) for column in node.values]
    if len(columns) != len(values) or any(len(column) != len(index) for column in values):
        raise ValueError("a frame has more or fewer values than its axes")
    frame = pd.DataFrame(
        {position: pd.Series(column, index=index, dtype=column.dtype) for position, column in enumerate(values)},
        index=index,
    )
    frame.columns = columns
    return frame


def _index(decoder: Reader, node: nodes.Value) -> Any:
    import pandas as pd

    index = decoder.read(node)
    if not isinstance(index, pd.Index):
        raise TypeError("an axis must be an index")
    return index


DECODERS: dict[type, Callable[[Any, Any], Any]] = {
    nodes.Strings: _decode_strings,
    nodes.Masked: _decode_masked,
    nodes.Zoned: _decode_zoned,
    nodes.Categorical: _decode_categorical,
    nodes.Index: _decode_index,
    nodes.Series: _decode_series,
    nodes.Frame: _decode_frame,
}
