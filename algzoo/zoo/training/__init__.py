"""Training by ARC's recipe: one model (:func:`train`), or the whole zoo (:func:`train_all`)."""

from .arguments import RESULTS_FOLDER
from .rebuild import train_all
from .recipe import Recipe
from .single import train

__all__ = ["RESULTS_FOLDER", "Recipe", "train", "train_all"]
