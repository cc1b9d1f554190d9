"""What it costs to fit the projector: beside the bare products of its layers, and beside a loop as one writes it.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/alignment.py

``floor`` is nothing but the forward and backward products of the layers and of the loss, into memory that is there already.
``loop`` is a module, a Dataset, a DataLoader and AdamW as their manuals have them, on the same model, rows and batches; first
both are fitted from the same start, and their losses must be the same. Told are milliseconds a batch, of one thread's processor
time, which does not count what else the machine does: medians of repeats that take turns, and the least of each.
Seeds at once: ``fused`` is one network whose parameters have one more dimension, the seeds; ``side by side`` are two threads,
whose time is on the wall and says nothing on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from watertight.core.ranks import directions
from watertight.learners.projector_options import ProjectorOptions
from watertight.learners.projector_training import Pairs, _Fit

CAPTIONS = 5
SEEDS = 4
ENDLESS = 10**6
"""So many epochs that the learning rate does not fall while it is measured."""


@dataclass(frozen=True)
class Size:
    """Columns, the width of the one hidden layer, the dimension of the vectors; rows, and rows a batch."""

    columns: int
    hidden: int
    dimension: int
    rows: int
    batch: int

    def __str__(self) -> str:
        return f"{self.columns} → {self.hidden} → {self.dimension}, {self.batch} of {self.rows} rows"


SIZES = (
    Size(256, 512, 384, 2800, 256),
    Size(256, 512, 384, 2800, 512),
    Size(1024, 2048, 1536, 10_000, 512),
    Size(1024, 2048, 1536, 10_000, 2500),
)
QUICK = (Size(16, 32, 24, 200, 50),)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one tiny size, once: that all of it runs")
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    for size in QUICK if asked.quick else SIZES:
        print(f"{size}\n")
        same_losses(size)
        table(against_the_floor(size, asked.repeats))
        table(seeds_at_once(size, asked.repeats))


def against_the_floor(size: Size, repeats: int) -> Iterator[tuple[str, ...]]:
    """Ours, the loop and gradient caching, as shares of the floor; in bfloat16 apart."""
    yield ("float32", "ms a batch", "least", "the floor's share of it")
    kinds = {
        "floor": Floor(size, torch.float32).batch,
        "ours": ours(size),
        "ours, without dropout": ours(size, dropout=0.0),
        "ours, in 4 chunks": ours(size, chunk=-(-size.batch // 4)),
        "loop": loop(size),
    }
    yield from shares(kinds, repeats)
    yield ("bfloat16", "", "", "")
    yield from shares({"floor": Floor(size, torch.bfloat16).batch, "ours": ours(size, mixed=True)}, repeats)


def seeds_at_once(size: Size, repeats: int) -> Iterator[tuple[str, ...]]:
    """What a batch of each of some seeds costs, one after another, fused, and side by side."""
    yield (f"{SEEDS} seeds", "ms a batch and seed", "least", "throughput")
    steps = [ours(size, seed=seed) for seed in range(SEEDS)]
    fused = Fused(size)
    told = spent({"one after another": lambda: [step() for step in steps], "fused": fused.batch}, repeats, time.thread_time)
    yield from gains(told)
    with ThreadPoolExecutor(2) as pool:
        told = spent(
            {
                "one after another, on the wall": lambda: [step() for step in steps],
                "side by side, on the wall": lambda: list(pool.map(lambda step: step(), steps)),
            },
            repeats,
            time.perf_counter,
        )
    yield from gains(told)


def shares(kinds: dict[str, Callable[[], Any]], repeats: int) -> Iterator[tuple[str, ...]]:
    told = spent(kinds, repeats, time.thread_time)
    floor = min(told["floor"])
    for name, seconds in told.items():
        yield name, f"{1e3 * statistics.median(seconds):.2f}", f"{1e3 * min(seconds):.2f}", f"{floor / min(seconds):.0%}"


def gains(told: dict[str, list[float]]) -> Iterator[tuple[str, ...]]:
    first = min(next(iter(told.values())))
    for name, seconds in told.items():
        each, least = (1e3 * of / SEEDS for of in (statistics.median(seconds), min(seconds)))
        yield name, f"{each:.2f}", f"{least:.2f}", f"{first / min(seconds):.2f} ×"


def spent(kinds: dict[str, Callable[[], Any]], repeats: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each, taking turns, after one that does not count."""
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(repeats + 1):
        for name, run in kinds.items():
            began = clock()
            run()
            found[name] += [clock() - began] if turn else []
    return found


def made(size: Size, seed: int = 0) -> Pairs:
    """Rows, some to an image."""
    chance = np.random.default_rng(seed)
    images = -(-size.rows // CAPTIONS)
    true = directions(chance.normal(size=(images, size.dimension)))
    x = chance.normal(size=(size.rows, size.columns)).astype(np.float32)
    return Pairs(x, true, np.arange(size.rows) % images, np.ones(size.rows, dtype=np.float32))


def fit(size: Size, seed: int = 0, **options: Any) -> _Fit:
    """Ours; what it is judged by is not measured."""
    declared = {"hidden": (size.hidden,), "batch": size.batch, "epochs": ENDLESS, **options}
    pairs = made(size)
    return _Fit(ProjectorOptions.of("projector", declared), pairs, pairs.at(np.arange(10)), seed)


def ours(size: Size, seed: int = 0, mixed: bool = False, **options: Any) -> Callable[[], Any]:
    """A step of ours: a batch at random, its gradient, and AdamW's."""
    model = fit(size, seed, **options)
    model.mixed = mixed
    optimizer, schedule = model._optimizer()
    chance = np.random.default_rng(seed)

    def step() -> None:
        places = torch.from_numpy(chance.choice(size.rows, size.batch, replace=False))
        optimizer.zero_grad()
        model._backward(model.fitted.at(places))
        optimizer.step()
        schedule.step()

    return step


class Floor:
    """The products of a batch: three forward, five backward, and the two of its loss against its different images."""

    def __init__(self, size: Size, kind: Any) -> None:
        new = lambda *shape: torch.randn(*shape).mul_(0.05).to(kind)  # noqa: E731
        images = len(np.unique(np.random.default_rng(0).choice(size.rows, size.batch, replace=False) % -(-size.rows // CAPTIONS)))
        self.x, self.hidden, self.vectors = (new(size.batch, w) for w in (size.columns, size.hidden, size.dimension))
        self.first, self.head = new(size.columns, size.hidden), new(size.hidden, size.dimension)
        self.path, self.true = new(size.columns, size.dimension), new(images, size.dimension)
        self.logits, self.back = new(size.batch, images), new(size.batch, size.hidden)
        self.into = [torch.empty_like(of) for of in (self.first, self.head, self.path)]
        self.sums = [torch.empty_like(of) for of in (self.hidden, self.vectors, self.vectors, self.logits, self.vectors)]

    def batch(self) -> None:
        """All of them, in the order in which a batch has them."""
        torch.mm(self.x, self.first, out=self.sums[0])
        torch.mm(self.hidden, self.head, out=self.sums[1])
        torch.mm(self.x, self.path, out=self.sums[2])
        torch.mm(self.vectors, self.true.T, out=self.sums[3])
        torch.mm(self.logits, self.true, out=self.sums[4])
        torch.mm(self.vectors, self.head.T, out=self.back)
        torch.mm(self.hidden.T, self.vectors, out=self.into[1])
        torch.mm(self.x.T, self.vectors, out=self.into[2])
        torch.mm(self.x.T, self.back, out=self.into[0])


class Captions(Dataset[Any]):
    """A caption, its image's vector, and which image it is."""

    def __init__(self, pairs: Pairs) -> None:
        self.x, self.y = torch.from_numpy(pairs.x), torch.from_numpy(pairs.true[pairs.own])
        self.image = torch.from_numpy(pairs.own)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, place: int) -> tuple[Any, Any, Any]:
        return self.x[place], self.y[place], self.image[place]


class Module(torch.nn.Module):
    """The same network, as torch's own layers."""

    def __init__(self, size: Size, dropout: float) -> None:
        super().__init__()
        self.path = torch.nn.Linear(size.columns, size.dimension, bias=False)
        self.first, self.norm = torch.nn.Linear(size.columns, size.hidden), torch.nn.LayerNorm(size.hidden)
        self.head, self.dropout = torch.nn.Linear(size.hidden, size.dimension), torch.nn.Dropout(dropout)
        self.log_scale = torch.nn.Parameter(torch.tensor(-np.log(ProjectorOptions().temperature), dtype=torch.float32))

    def forward(self, x: Any) -> Any:
        return self.path(x) + self.head(self.dropout(functional.gelu(self.norm(self.first(x)))))

    def start_as(self, arrays: dict[str, Any]) -> None:
        """Take the parameters of ours."""
        named = {"path.weight": arrays["path"].T, "first.weight": arrays["weight0"].T, "first.bias": arrays["bias0"]}
        named |= {"norm.weight": arrays["gain0"], "norm.bias": arrays["shift0"]}
        named |= {"head.weight": arrays["weight1"].T, "head.bias": arrays["bias1"]}
        tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in named.items()}
        self.load_state_dict({**tensors, "log_scale": self.log_scale.detach()})

    def loss(self, vectors: Any, y: Any, image: Any) -> Any:
        """InfoNCE in the batch, captions of one image masked."""
        logits = functional.normalize(vectors, dim=1) @ functional.normalize(y, dim=1).T * self.log_scale.exp().clamp(max=100)
        same = (image[:, None] == image[None, :]) & ~torch.eye(len(image), dtype=torch.bool)
        return functional.cross_entropy(logits.masked_fill(same, -torch.inf), torch.arange(len(image)))


def walked(module: Module, pairs: Pairs, batches: list[Any], decay: float = 0.01) -> Iterator[float]:
    """The loop: a loss a batch."""
    matrices = [of for of in module.parameters() if of.ndim == 2]
    parts = [{"params": matrices, "weight_decay": decay}]
    parts += [{"params": [of for of in module.parameters() if of.ndim < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(parts, lr=1e-3)
    for x, y, image in DataLoader(Captions(pairs), batch_sampler=batches):
        optimizer.zero_grad()
        loss = module.loss(module(x), y, image)
        loss.backward()
        optimizer.step()
        yield loss.item()


def loop(size: Size) -> Callable[[], Any]:
    """A batch of the loop."""
    chance = np.random.default_rng(0)
    batches = (chance.choice(size.rows, size.batch, replace=False).tolist() for _ in range(ENDLESS))
    going = walked(Module(size, 0.2), made(size), batches)  # type: ignore[arg-type]
    return lambda: next(going)


def same_losses(size: Size) -> None:
    """Fit both from the same start on the same batches, without dropout, and demand the same losses."""
    model, steps = fit(size, dropout=0.0, warm_up=0.0), 4
    module = Module(size, 0.0)
    module.start_as(model.network.arrays())
    order = np.random.default_rng(0)
    batches = [of for _ in range(2) for of in np.array_split(order.permutation(size.rows), size.rows // size.batch)]
    optimizer, schedule = model._optimizer()
    found = np.concatenate([model._epoch(optimizer, schedule).numpy() for _ in range(2)])
    theirs = list(walked(module, made(size), [of.tolist() for of in batches]))
    apart = float(np.abs(found / theirs - 1).max())
    first, last = found[:steps].mean(), found[-steps:].mean()
    print(f"losses of {len(found)} batches, {first:.3f} to {last:.3f}: ours and the loop's differ by {apart:.1e} at most\n")
    if apart > 1e-3:
        raise SystemExit("the two do not learn the same")


class Fused:
    """Some seeds as one network: parameters (seeds, …), each seed's own batch and dropout, products of all seeds at once."""

    def __init__(self, size: Size) -> None:
        self.size, self.models = size, [fit(size, seed) for seed in range(SEEDS)]
        arrays = [model.network.arrays() for model in self.models]
        self.of = {name: torch.from_numpy(np.stack([one[name] for one in arrays])).requires_grad_(True) for name in arrays[0]}
        self.log_scale = torch.full((SEEDS, 1, 1), 3.5, requires_grad=True)
        self.optimizer = torch.optim.AdamW([*self.of.values(), self.log_scale], lr=1e-3, fused=True)
        self.chances = [np.random.default_rng(seed) for seed in range(SEEDS)]
        self.pairs = made(size).on("cpu")

    def batch(self) -> None:
        """A batch of each seed."""
        rows, batch = self.size.rows, self.size.batch
        places = torch.from_numpy(np.stack([chance.choice(rows, batch, replace=False) for chance in self.chances]))
        self.optimizer.zero_grad()
        vectors = self.vectors(self.pairs.x[places])
        vectors = vectors * vectors.square().sum(dim=2, keepdim=True).rsqrt() * self.log_scale.exp().clamp(max=100)
        self.loss(vectors, self.pairs.own[places]).backward()
        self.optimizer.step()

    def vectors(self, x: Any) -> Any:
        """(seeds, rows, dimension)."""
        of = self.of
        z = functional.layer_norm(torch.baddbmm(of["bias0"][:, None], x, of["weight0"]), (self.size.hidden,))
        kept = np.stack([model.network.drawn(self.size.batch)[0] for model in self.models])
        z = functional.gelu(z * of["gain0"][:, None] + of["shift0"][:, None])
        z = z * torch.from_numpy(np.multiply(kept, np.float32(1.25), dtype=np.float32))
        return torch.baddbmm(torch.baddbmm(of["bias1"][:, None], z, of["weight1"]), x, of["path"])

    def loss(self, asked: Any, own: Any) -> Any:
        """Each seed's own images are padded to as many as all have in the batch: the whole gallery where it is small."""
        found = [of.unique(return_inverse=True) for of in own]
        width = max(len(there) for there, _ in found)
        there = torch.stack([functional.pad(there, (0, width - len(there))) for there, _ in found])
        often = torch.stack([torch.bincount(inverse, minlength=width) for _, inverse in found]).float().log()
        inverse = torch.stack([inverse for _, inverse in found])
        logits = torch.baddbmm(often[:, None], asked, self.pairs.true[there].transpose(1, 2))
        once = -often.gather(1, inverse)[:, :, None]
        logits = logits.scatter_add(2, inverse[:, :, None], once)
        return functional.cross_entropy(logits.flatten(0, 1), inverse.flatten()) * SEEDS


def table(lines: Iterator[tuple[str, ...]]) -> None:
    """Columns side by side."""
    for first, *cells in lines:
        print(f"{first:<32} {' '.join(f'{cell:>24}' for cell in cells)}")
    print()


if __name__ == "__main__":
    main()
