"""What the targets are fed: noise, and valid input that was damaged."""

from collections.abc import Sequence

from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """One of the samples with up to six bytes changed, put in, doubled or cut off."""
    data = bytearray(draw(st.sampled_from(list(samples))))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.sampled_from(["change", "insert", "cut", "double"])):
            case "change" if data:
                data[at] = draw(st.integers(0, 255))
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "cut":
                del data[at:]
            case "double":
                data += data[at:]
    return bytes(data[:70_000])


def noise_or(samples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=2_000) | damaged(samples)
