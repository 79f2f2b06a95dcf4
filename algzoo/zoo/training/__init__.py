"""Training with ARC's recipe: one model (:func:`train`), or the whole zoo (:func:`train_all`).

``recipe`` holds everything that decides the trained weights and ``single`` trains one model.
``rebuild`` trains all models with the help of ``stacked`` (many models at once), ``graphs`` and
``kernels`` (the same on a GPU); ``resume`` lets a training that was killed continue.
"""

from .arguments import RESULTS_FOLDER
from .rebuild import train_all
from .recipe import Recipe
from .single import train

__all__ = ["RESULTS_FOLDER", "Recipe", "train", "train_all"]
