from django.urls import path

from hub.health import health

urlpatterns = [path("health/", health, name="health")]
