from django.apps import AppConfig


class TasksdemoConfig(AppConfig):
    name = "tasksdemo"
    verbose_name = "Tasks demo"
    default_auto_field = "django.db.models.BigAutoField"
