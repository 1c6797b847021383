"""All views, by what they are about."""

from api.views.customers import views as customers
from api.views.drivers import views as drivers
from api.views.events import views as events
from api.views.items import views as items
from api.views.operations import views as operations
from api.views.recommendations import views as recommendations
from api.views.risks import views as risks
from api.views.segments import views as segments
from api.views.treatments import views as treatments

VIEWS = (recommendations, items, risks, drivers, treatments, segments, customers, events, operations)
