"""The API. Its views need Django REST framework; tokens do not."""
