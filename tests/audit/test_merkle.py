"""Merkle trees against published vectors and against their own definition."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.audit.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_spans,
    inclusion_spans,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from salus.audit.rules import leaf_hash

# The inputs, roots and proofs of the Certificate Transparency reference tests (RFC 6962).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]

# Rolling digests over all valid subtrees of trees of up to 130 leaves 0x00, 0x01... ("Subtree Test Vectors"
# of draft-ietf-plants-merkle-tree-certs): far more shapes than anybody would write down.
SUBTREES = "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"
SUBTREE_PATHS = "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"
LARGEST_SUBTREE = 130

TREE = Tree([leaf_hash(data) for data in INPUTS])


def hex_of(path: tuple[bytes, ...]) -> list[str]:
    return [node.hex() for node in path]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_reference_vectors(size: int) -> None:
    assert TREE.root(size).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_reference_vectors(index: int, size: int, path: list[str]) -> None:
    assert hex_of(TREE.path(index, size)) == path
    root = bytes.fromhex(ROOTS[size])
    assert verify_inclusion(
        leaf_hash(INPUTS[index]), index, size, [bytes.fromhex(node) for node in path], root
    )


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_reference_vectors(old: int, new: int, path: list[str]) -> None:
    assert hex_of(TREE.consistency(old, new)) == path
    roots = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    assert verify_consistency(old, new, [bytes.fromhex(node) for node in path], *roots)


def test_all_subtrees_and_their_paths_fold_to_the_published_digests() -> None:
    leaves = [leaf_hash(bytes([value])) for value in range(LARGEST_SUBTREE)]
    roots, paths = sha256(), sha256()
    for end in range(LARGEST_SUBTREE + 1):
        for start in range(end + 1):
            if start < end and start % (1 << (end - start - 1).bit_length()):
                continue  # not a subtree of any tree
            tree = Tree(leaves[start:end])
            roots.update(f"[{start}, {end}) {tree.root().hex()}\n".encode())
            for index in range(start, end):
                path = "".join(f" {node.hex()}" for node in tree.path(index - start))
                paths.update(f"{index} [{start}, {end}){path}\n".encode())
    assert roots.hexdigest() == SUBTREES
    assert paths.hexdigest() == SUBTREE_PATHS


def test_the_tree_of_nothing_has_the_root_of_nothing() -> None:
    assert Tree([]).root() == EMPTY_ROOT


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


@given(st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_the_root_follows_the_definition(size: int) -> None:
    assert Tree(leaves_of(size)).root() == by_definition(leaves_of(size))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_every_leaf_is_proved_and_no_other_leaf_place_or_root_passes_for_it(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    tree = Tree(leaves)
    path, root = tree.path(index), tree.root()
    assert verify_inclusion(leaves[index], index, size, path, root)
    assert not verify_inclusion(leaf_hash(b"another"), index, size, path, root)
    assert not verify_inclusion(leaves[index], index, size, path, leaf_hash(b"another"))
    assert not verify_inclusion(leaves[index], size, size, path, root)
    assert not verify_inclusion(leaves[index], -1, size, path, root)
    assert not verify_inclusion(leaves[index], index, size, (*path, root), root)
    if path:
        assert not verify_inclusion(leaves[index], index, size, path[:-1], root)
        assert not verify_inclusion(leaves[index], index ^ 1, size, path, root)
        place = data.draw(st.integers(0, len(path) - 1))
        bent = [*path]
        bent[place] = bytes([bent[place][0] ^ 1]) + bent[place][1:]
        assert not verify_inclusion(leaves[index], index, size, bent, root)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_longer_log_is_proved_to_keep_the_shorter_and_a_changed_past_is_not(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 300))
    old = data.draw(st.integers(0, new))
    leaves = leaves_of(new)
    tree = Tree(leaves)
    path = tree.consistency(old)
    assert verify_consistency(old, new, path, tree.root(old), tree.root())
    if not old:
        return
    changed = data.draw(st.integers(0, old - 1))
    leaves[changed] = leaf_hash(b"rewritten")
    past = Tree(leaves)
    assert not verify_consistency(old, new, past.consistency(old), tree.root(old), past.root())
    assert not verify_consistency(old, new, path, past.root(old), tree.root())
    if old < new:
        assert not verify_consistency(old, new, path, tree.root(), tree.root(old))
        assert not verify_consistency(old, new, path[:-1], tree.root(old), tree.root())
        assert not verify_consistency(old, new, (*path, path[0]), tree.root(old), tree.root())


@given(st.integers(0, 64), st.integers(0, 64))
def test_no_proof_exists_of_what_cannot_be(index: int, size: int) -> None:
    if index >= size:
        with pytest.raises(ValueError):
            inclusion_spans(index, size)
    if index > size:
        with pytest.raises(ValueError):
            consistency_spans(index, size)
        assert not verify_consistency(index, size, [], EMPTY_ROOT, EMPTY_ROOT)


def test_only_hashes_are_leaves() -> None:
    with pytest.raises(ValueError, match="32-byte"):
        Tree([b"raw data"])
