"""Running submissions and recording what they earned."""
