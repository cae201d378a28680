"""Pictures and widgets for the notebooks, one module per topic; they draw what students compute."""
