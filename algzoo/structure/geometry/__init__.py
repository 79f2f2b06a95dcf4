"""The linear pieces of recurrent models, with their measures, in exact arithmetic."""
